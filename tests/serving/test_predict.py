"""Predict: a run's folder scores texts as its training did, and the command answers in lines or in a table."""

import importlib
import io
import json
import os
import pty
import random
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel

from stages.common import command
from stages.common.command import InputError
from stages.serving.choice import most_accurate
from stages.serving.console import CHUNK_TEXTS
from stages.serving.scorers import load_scorer
from tests.conftest import REPOSITORY, new_project, only

INPUT_KINDS = {"tfidf": "text", "average": "words", "tiny_bigru": "features", "tiny_finetuned": "wordpieces"}
INPUTS = {"average": "data/ids", "tiny_bigru": "data/features", "tiny_finetuned": "data/wordpieces"}
WORDS = [["awful", "dull", "bad", "hated"], ["great", "fine", "good", "loved"]]
NEUTRAL = ["the", "film", "was", "a", "story", "and", "it", "is", "plot", "acting"]
CPU = torch.device("cpu")


def table(rows: int, seed: int) -> bytes:
    generator = random.Random(seed)
    lines = ["text\tlabel"]
    for row in range(rows):
        words = generator.choices(NEUTRAL, k=generator.randint(2, 9)) + generator.choices(WORDS[row % 2], k=2)
        lines.append(f"{' '.join(words)}!\t{row % 2}")
    return "\n".join([*lines, ""]).encode()


def write_encoder(folder: Path) -> None:
    """A BERT of random weights and a tokenizer of the words above and of letters."""
    letters = list("bcdefghijklmnopqrstuvwxyz!,.'")
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *NEUTRAL, *WORDS[0], *WORDS[1], *letters, "##s", "##ing"]
    tokenizer = Tokenizer(models.WordPiece({piece: number for number, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    ends = [("[CLS]", 2), ("[SEP]", 3)]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "max_position_embeddings": 64, "vocab_size": len(pieces)}
    torch.manual_seed(1)
    config = BertConfig(num_hidden_layers=2, num_attention_heads=2, **sizes)
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))


def run_stage(monkeypatch: pytest.MonkeyPatch, name: str, *texts: str, **options: object) -> None:
    """A stage in this process, for the corpus `own`: `out="x"` is `--out x`."""
    arguments = [str(part) for key, value in options.items() for part in (f"--{key}", value)]
    corpus = [] if name in ("download_encoder", "evaluate") else ["--corpus", "own"]
    monkeypatch.setattr(sys, "argv", [name, *corpus, *arguments, *texts])
    importlib.import_module(f"stages.{name}").main()


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """The folder of a project that has trained and evaluated a rung of each kind, with two seeds."""
    once = {"batch_size": 16, "epochs": 2, "patience": 2, "final_fit": False}
    corpus = {"tokenizer": "treebank", "training": once, "finetuning": once, "precision": "fp32"}
    corpus |= {"kept_words": {"longest": 7, "part": "tail"}, "kept_wordpieces": {"longest": 9, "part": "head_and_tail"}}
    checksums = dict.fromkeys(("config.json", "model.safetensors", "tokenizer.json"))
    encoder = {"source": {"folder": "tiny"}, "checksums": checksums, "max_length": 64, "layers": [0, 1, 2]}
    kinds = only(ngrams=["tfidf"], pooled=["average"], features=["bigru"], finetuning=["finetuned"])
    project = new_project(tmp_path_factory.mktemp("trained"), corpus)
    project.set("encoders.tiny", encoder | {"mix": "mean"})
    run = {"corpora": ["own"], "glove_dimensions": [], "encoders": ["tiny"], "notebook": [], "seeds": [1, 2]}
    project.set("run", run | {"models": kinds})
    project.set("models.average.optimization.learning_rate", 0.02)
    project.set("models.average.optimization.average_decay", 0.5)
    project.set("models.bigru.architecture.hidden_size", 8)
    for number, split in enumerate(("train", "valid", "test")):
        project.write(f"own/{split}.tsv", table(20 if number else 60, number))
    write_encoder(project.folder / "tiny")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.folder)
        weights, rows = "data/encoders/tiny", "data/corpora/own"
        run_stage(patch, "download", local="own", downloads="data/downloads", out="data/raw")
        run_stage(patch, "prepare", raw="data/raw", out=rows)
        run_stage(patch, "tokenize_text", rows=rows, out="data/words")
        run_stage(patch, "build_vocab", words="data/words", out="data/ids")
        run_stage(patch, "download_encoder", encoder="tiny", downloads="data/downloads", out=weights)
        bert = {"encoder": "tiny", "weights": weights}
        run_stage(patch, "tokenize_wordpieces", **bert, rows=rows, out="data/wordpieces")
        partial = {"checkpoints": "data/checkpoints"}
        run_stage(patch, "embed_bert", **bert, wordpieces="data/wordpieces", **partial, out="data/features")
        run_stage(patch, "train_linear", model="tfidf", words="data/words", out="data/trained/own/tfidf")
        for model, folder in INPUTS.items():
            chosen = {"model": model.removeprefix("tiny_"), "input": folder, "settings": "training"} | partial
            if model == "tiny_finetuned":
                chosen |= {"settings": "finetuning", "pretrained": f"{weights}/model.safetensors"}
            for seed in (1, 2):
                run_stage(patch, "train", **chosen, seed=seed, out=f"data/trained/own/{model}/{seed}")
        for model in INPUT_KINDS:
            outs = {"metrics": f"metrics/own/{model}.json", "predictions": f"results/own/predictions/{model}.parquet"}
            run_stage(patch, "evaluate", trained=f"data/trained/own/{model}", **outs, confusion=f"plots/{model}.csv")
    return project.folder


@pytest.fixture
def here(trained: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(trained)
    return trained


def trained_of(folder: Path, model: str, seed: int = 2) -> Path:
    return folder / "data/trained/own" / (model if model == "tfidf" else f"{model}/{seed}")


def texts_of(folder: Path) -> list[str]:
    rows = [pd.read_parquet(folder / f"data/corpora/own/{split}.parquet") for split in ("valid", "test")]
    return pd.concat(rows)["text"].tolist()


@pytest.mark.parametrize("model", INPUT_KINDS)
def test_texts_are_scored_as_the_training_scored_them(here, model):
    run, scorer = load_scorer(trained_of(here, model), here / "data/encoders", CPU)
    expected = pd.read_parquet(trained_of(here, model) / "predictions.parquet")["probability_positive"].to_numpy()
    scored = scorer(texts_of(here))
    assert (run["model"], run["input"]["kind"], scored.shape) == (
        model.removeprefix("tiny_"),
        INPUT_KINDS[model],
        (40, 2),
    )
    assert scored[:, 1] == pytest.approx(expected, abs=1e-3 if model == "tiny_bigru" else 1e-5)
    assert np.ptp(expected) > 0.01


@pytest.mark.parametrize("model", INPUT_KINDS)
def test_a_text_is_scored_alone_as_among_others(here, model):
    _, scorer = load_scorer(trained_of(here, model), here / "data/encoders", CPU)
    texts = ["good!", "the plot was dull and it is a story!", "xyz unheard", "!"]
    alone = np.concatenate([scorer([text]) for text in texts])
    assert scorer(texts) == pytest.approx(alone, abs=1e-3 if model == "tiny_bigru" else 1e-5)


@pytest.mark.parametrize("model", ["tfidf", "average", "tiny_finetuned"])
def test_the_folder_of_a_run_is_enough(here, tmp_path, model):
    copied = shutil.copytree(trained_of(here, model), tmp_path / "elsewhere")
    expected = load_scorer(trained_of(here, model), here / "data/encoders", CPU)[1](texts_of(here))
    assert load_scorer(copied, tmp_path / "no encoders", CPU)[1](texts_of(here)).tolist() == expected.tolist()


def test_features_without_the_encoder_they_are_of_are_refused(here, tmp_path):
    with pytest.raises(InputError, match=r"tiny holds no encoder; fetch it with `dvc repro download_encoder`"):
        load_scorer(trained_of(here, "tiny_bigru"), tmp_path, CPU)
    encoder = shutil.copytree(here / "data/encoders/tiny", tmp_path / "tiny")
    weights = load_file(encoder / "model.safetensors")
    weights["embeddings.word_embeddings.weight"][5, 5] += 1
    save_file(weights, encoder / "model.safetensors")
    with pytest.raises(InputError, match="was trained on another encoder than"):
        load_scorer(trained_of(here, "tiny_bigru"), tmp_path, CPU)


def without_a_tensor(path: Path) -> None:
    tensors = load_file(path)
    tensors.popitem()
    save_file(tensors, path)


def one_feature_fewer(path: Path) -> None:
    save_file({name: tensor[..., :-1].clone() for name, tensor in load_file(path).items()}, path)


# A rung, a file of its run's folder, what happens to it, and what the message says.
DAMAGES = {
    "weights cut": ("average", "model.safetensors", lambda path: os.truncate(path, 500), "damaged"),
    "lying header": ("average", "model.safetensors", lambda path: path.write_bytes(b"\xff" * 7 + b"\x7f{}"), "damaged"),
    "lacking tensor": ("average", "model.safetensors", without_a_tensor, "damaged"),
    "other shapes": ("average", "model.safetensors", one_feature_fewer, "damaged"),
    "long vocabulary": ("average", "vocab.txt", lambda path: path.write_bytes(b"a\n" * 99), "damaged"),
    "short vocabulary": ("average", "vocab.txt", lambda path: os.truncate(path, 30), "damaged"),
    "vocabulary in no UTF-8": ("average", "vocab.txt", lambda path: path.write_bytes(b"\xff\n"), "damaged"),
    "tokenizer cut": ("tiny_finetuned", "tokenizer.json", lambda path: os.truncate(path, 100), "is no tokenizer"),
    "missing vocabulary": ("average", "vocab.txt", Path.unlink, "vocab.txt: No such file"),
    "missing n-grams": ("tfidf", "ngrams.txt", Path.unlink, "ngrams.txt: No such file"),
}


@pytest.mark.parametrize(("model", "name", "damage", "message"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_run_is_refused_in_one_line(here, tmp_path, model, name, damage, message):
    folder = shutil.copytree(trained_of(here, model), tmp_path / "run")
    damage(folder / name)
    with pytest.raises(SystemExit, match=f"^error: [^\n]*{message}[^\n]*$") as refused:
        command.run(lambda: load_scorer(folder, here / "data/encoders", CPU))
    assert str(folder) in str(refused.value)


def test_the_most_accurate_on_valid_of_the_trained_models_is_chosen(here, tmp_path):
    for model, accuracy in {"tfidf": 0.7, "average": 0.8, "tiny_bigru": 0.8, "lstm": 0.99}.items():
        (tmp_path / f"{model}.json").write_text(json.dumps({"valid": {"accuracy": accuracy}}))
    assert most_accurate(here / "data/trained/own", tmp_path) == "average"
    with pytest.raises(InputError, match=r"own holds no trained model; run `make repro RUN=own` first"):
        most_accurate(tmp_path / "own", tmp_path)


def predicted(monkeypatch, capsys, *texts: str, **options: object) -> list[dict]:
    run_stage(monkeypatch, "predict", *texts, **options)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_every_text_is_a_line_of_json(here, monkeypatch, capsys):
    texts = ["a great film 🎬", 'a "dull"\n\x1b[31mplot', "--"]
    rows = predicted(monkeypatch, capsys, "--", *texts, model="tfidf")
    assert [list(row) for row in rows] == [["text", "label", "probability"]] * 3
    assert [row["text"] for row in rows] == texts
    assert [row["label"] for row in rows[:2]] == ["positive", "negative"]
    assert rows[0]["probability"] > 0.5 > rows[1]["probability"]


def test_arguments_a_file_and_standard_input_are_scored_alike(here, monkeypatch, capsys, tmp_path):
    chosen, texts = {"model": "average"}, ["a great film", "a dull plot"]
    (tmp_path / "texts.txt").write_bytes(b"a great film\r\na dull plot\r\n")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a great film\na dull plot")))
    of_arguments = predicted(monkeypatch, capsys, *texts, **chosen, seed=2)
    assert of_arguments == predicted(monkeypatch, capsys, **chosen, seed=2, file=tmp_path / "texts.txt")
    assert of_arguments == predicted(monkeypatch, capsys, **chosen, seed=2)
    assert of_arguments != predicted(monkeypatch, capsys, *texts, **chosen)


def test_without_a_model_the_chosen_one_is_named(here, monkeypatch, capsys):
    run_stage(monkeypatch, "predict", "a text")
    chosen = most_accurate(here / "data/trained/own", here / "metrics/own")
    assert capsys.readouterr().err == f"scored by {chosen}; --model chooses another\n"


@pytest.mark.parametrize("options", [{"model": "averige"}, {"model": "average", "seed": 7}])
def test_what_is_not_trained_is_refused(here, monkeypatch, options):
    with pytest.raises(InputError, match=rf"data/trained/own.*{options['model']}"):
        run_stage(monkeypatch, "predict", "a text", **options)


def test_params_sentences_are_scored_by_every_model_over_its_seeds(here, monkeypatch, tmp_path):
    for name in ("first", "again"):
        paths = {"trained": "data/trained/own", "encoders": "data/encoders"}
        run_stage(monkeypatch, "predict_sentences", out=tmp_path / name, **paths)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "again").read_bytes()
    scored = json.loads((tmp_path / "first").read_text())["sentences"]
    texts = [entry["text"] for entry in scored]
    assert texts == yaml.safe_load(Path("params.yaml").read_text())["predict"]["sentences"]
    for model in INPUT_KINDS:
        scorers = [load_scorer(trained_of(here, model, seed), here / "data/encoders", CPU)[1] for seed in (1, 2)]
        means = np.mean([scorer(texts)[:, 1] for scorer in scorers], axis=0)
        assert [entry["probability"][model] for entry in scored] == pytest.approx(means, abs=1e-4)
    assert all(set(entry["probability"]) == set(INPUT_KINDS) for entry in scored)


def test_a_terminal_gets_a_table_that_no_text_can_steer(here, monkeypatch):
    leader, follower = pty.openpty()
    with open(leader, "rb", buffering=0) as screen, open(follower, "w", encoding="utf-8") as terminal:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdout", terminal)
        run_stage(monkeypatch, "predict", "a great film 🎬", "dull \x1b[2J\x9b1A\r\n\x07plot", model="tfidf")
        terminal.flush()
        data = b""
        while data.count(b"\n") < 2:
            data += screen.read(4096)
    shown = data.decode().split("\r\n")
    table = r"positive +0\.\d{3}  a great film 🎬\nnegative +0\.\d{3}  dull .+\[2J.+1A.+plot\n"
    assert re.fullmatch(table, "\n".join(shown))
    assert "".join(shown).isprintable()


def test_json_is_utf8_whatever_the_encoding_around_it(here, monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="latin-1"))
    run_stage(monkeypatch, "predict", "un film génial 🎬", model="tfidf")
    sys.stdout.flush()
    assert json.loads(sys.stdout.buffer.getvalue().decode())["text"] == "un film génial 🎬"


def peak_memory(process: subprocess.Popen) -> float:
    """Of a running process, in MB."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())[1]) / 1000


def test_a_stream_of_any_length_is_scored_in_order_and_bounded_memory(here):
    texts = [f"text {number} of a {('dull', 'great')[number % 2]} film" for number in range(20_000)]
    lines = [f"{text}\n".encode() for text in texts]
    predict = [sys.executable, "-m", "stages.predict", "--corpus", "own", "--model", "average"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "env": os.environ | {"PYTHONPATH": str(REPOSITORY)}}
    with subprocess.Popen(predict, **pipes) as process:
        process.stdin.writelines(lines[:CHUNK_TEXTS])
        process.stdin.flush()
        rows = [json.loads(process.stdout.readline()) for _ in range(2000)]
        after_one_chunk = peak_memory(process)
        threading.Thread(target=lambda: (process.stdin.writelines(lines[CHUNK_TEXTS:]), process.stdin.close())).start()
        rows += [json.loads(process.stdout.readline()) for _ in range(CHUNK_TEXTS * 3)]
        growth = peak_memory(process) - after_one_chunk
        rows += [json.loads(line) for line in process.stdout]
    assert [row["text"] for row in rows] == texts
    assert {row["label"] for row in rows} == {"negative", "positive"}
    assert growth < 60
    assert process.returncode == 0
