"""Predict: a trained model's folder scores texts as its training did; the command prints lines or a table."""

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

import stages.build_vocab
import stages.download
import stages.download_encoder
import stages.embed_bert
import stages.evaluate
import stages.gather_texts
import stages.learn_vectors
import stages.predict
import stages.predict_sentences
import stages.prepare
import stages.tokenize_text
import stages.tokenize_wordpieces
import stages.train
import stages.train_linear
from stages.common import command
from stages.common.command import InputError
from stages.serving.console import CHUNK_TEXTS
from stages.serving.default_model import best_on_valid
from stages.serving.scorers import load_scorer
from tests.commands import run_here, run_stages, stage_command, start
from tests.encoders import NEUTRAL, OPINIONS, checksums
from tests.projects import new_project, only

INPUT_KINDS = {"tfidf": "text", "average": "words", "tiny_bigru": "features", "tiny_finetuned": "wordpieces"}
INPUTS = {"average": "data/domain_vectors", "tiny_bigru": "data/features", "tiny_finetuned": "data/wordpieces"}
TRAINED = "data/trained/own"
CPU = torch.device("cpu")


def table(rows: int, seed: int) -> bytes:
    generator = random.Random(seed)
    lines = ["text\tlabel"]
    for row in range(rows):
        words = generator.choices(NEUTRAL, k=generator.randint(2, 9)) + generator.choices(OPINIONS[row % 2], k=2)
        lines.append(f"{' '.join(words)}!\t{row % 2}")
    return "\n".join([*lines, ""]).encode()


@pytest.fixture(scope="module")
def trained(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a project that trained and evaluated a model of each kind, with two seeds."""
    once = {"batch_size": 16, "epochs": 2, "patience": 2, "final_fit": False}
    corpus = {"tokenizer": "treebank", "training": once, "finetuning": once, "precision": "fp32"}
    corpus |= {"kept_words": {"longest": 7, "part": "tail"}, "kept_wordpieces": {"longest": 9, "part": "head_and_tail"}}
    encoder = {"source": {"folder": str(tiny)}, "checksums": checksums(tiny), "max_length": 64}
    kinds = only(ngrams=["tfidf"], pooled=["average"], features=["bigru"], finetuning=["finetuned"])
    project = new_project(tmp_path_factory.mktemp("trained"), corpus)
    project.set("encoders.tiny", encoder | {"layers": [0, 1, 2], "mix": "mean", "optimization": {}})
    run = {"corpora": ["own"], "glove_dimensions": [], "notebook": [], "seeds": [1, 2], "described_by": "tiny"}
    run |= {key: ["tiny"] for key in ("encoders", "frozen_encoders", "finetuned_encoders")}
    run |= {"teachers": [], "unlabelled_corpora": []}
    project.set("run", run | {"models": kinds})
    project.set("models.average.optimization.learning_rate", 0.02)
    project.set("models.average.optimization.average_decay", 0.5)
    project.set("models.bigru.architecture.hidden_size", 8)
    for number, split in enumerate(("train", "valid", "test")):
        project.write(f"own/{split}.tsv", table(20 if number else 60, number))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.folder)
        weights, rows, wordpieces = "data/encoders/tiny", "data/corpora/own", "data/wordpieces"
        fetching, partial = {"downloads": "data/downloads"}, {"checkpoints": "data/checkpoints"}
        of_corpus, of_encoder = {"corpus": "own"}, {"encoder": "tiny"}
        of_pieces = {**of_corpus, **of_encoder, "weights": weights}
        run_stages(
            (stages.download, {**of_corpus, **fetching, "local": "own", "out": "data/raw"}),
            (stages.prepare, {**of_corpus, "raw": "data/raw", "out": rows}),
            (stages.tokenize_text, {**of_corpus, "rows": rows, "out": "data/words"}),
            (stages.build_vocab, {**of_corpus, "words": "data/words", "out": "data/ids"}),
            (stages.gather_texts, {**of_corpus, "corpora": "data/corpora", "out": "data/texts"}),
            (
                stages.learn_vectors,
                {**of_corpus, "ids": "data/ids", "gathered": "data/texts", "out": INPUTS["average"]},
            ),
            (stages.download_encoder, {**of_encoder, **fetching, "out": weights}),
            (stages.tokenize_wordpieces, {**of_pieces, "rows": rows, "out": wordpieces}),
            (stages.embed_bert, {**of_pieces, **partial, "wordpieces": wordpieces, "out": "data/features"}),
            (stages.train_linear, {**of_corpus, "model": "tfidf", "words": "data/words", "out": f"{TRAINED}/tfidf"}),
        )
        for model, folder in INPUTS.items():
            chosen = {**of_corpus, **partial, "model": model.removeprefix("tiny_"), "input": folder}
            chosen |= {"settings": "training"}
            if model == "average":
                chosen |= {"pretrained": f"{folder}/vectors.safetensors"}
            if model == "tiny_finetuned":
                chosen |= {"settings": "finetuning", "pretrained": f"{weights}/model.safetensors"}
            for seed in (1, 2):
                run_stages((stages.train, {**chosen, "seed": seed, "out": f"{TRAINED}/{model}/{seed}"}))
        for model in INPUT_KINDS:
            outs = {"metrics": f"metrics/own/{model}.json", "predictions": f"results/own/predictions/{model}.parquet"}
            run_stages((stages.evaluate, {**outs, "trained": f"{TRAINED}/{model}", "confusion": f"plots/{model}.csv"}))
    return project.folder


@pytest.fixture
def here(trained: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(trained)
    return trained


def trained_of(folder: Path, model: str, seed: int = 2) -> Path:
    return folder / TRAINED / (model if model == "tfidf" else f"{model}/{seed}")


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
def test_a_text_has_the_same_score_alone_and_among_others(here, model):
    _, scorer = load_scorer(trained_of(here, model), here / "data/encoders", CPU)
    texts = ["good!", "the plot was dull and it is a story!", "xyz unheard", "!"]
    alone = np.concatenate([scorer([text]) for text in texts])
    assert scorer(texts) == pytest.approx(alone, abs=1e-3 if model == "tiny_bigru" else 1e-5)


@pytest.mark.parametrize("model", ["tfidf", "average", "tiny_finetuned"])
def test_the_folder_of_a_model_is_enough(here, tmp_path, model):
    copied = shutil.copytree(trained_of(here, model), tmp_path / "elsewhere")
    expected = load_scorer(trained_of(here, model), here / "data/encoders", CPU)[1](texts_of(here))
    assert load_scorer(copied, tmp_path / "no encoders", CPU)[1](texts_of(here)).tolist() == expected.tolist()


def test_features_without_their_encoder_are_refused(here, tmp_path):
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


# A model, a file in its folder, what happens to the file, and what the message says.
DAMAGES = {
    "weights cut": ("average", "model.safetensors", lambda path: os.truncate(path, 500), "damaged"),
    "lying header": ("average", "model.safetensors", lambda path: path.write_bytes(b"\xff" * 7 + b"\x7f{}"), "damaged"),
    "lacking tensor": ("average", "model.safetensors", without_a_tensor, "damaged"),
    "other shapes": ("average", "model.safetensors", one_feature_fewer, "damaged"),
    "long vocabulary": ("average", "vocab.txt", lambda path: path.write_bytes(b"a\n" * 99), "damaged"),
    "short vocabulary": ("average", "vocab.txt", lambda path: os.truncate(path, 30), "damaged"),
    "vocabulary in no UTF-8": ("average", "vocab.txt", lambda path: path.write_bytes(b"\xff\n"), "damaged"),
    "tokenizer cut": ("tiny_finetuned", "tokenizer.json", lambda path: os.truncate(path, 100), "is not a tokenizer"),
    "missing vocabulary": ("average", "vocab.txt", Path.unlink, "vocab.txt: No such file"),
    "missing n-grams": ("tfidf", "ngrams.txt", Path.unlink, "ngrams.txt: No such file"),
}


@pytest.mark.parametrize(("model", "name", "damage", "message"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_model_is_refused_in_one_line(here, tmp_path, model, name, damage, message):
    folder = shutil.copytree(trained_of(here, model), tmp_path / "run")
    damage(folder / name)
    with pytest.raises(SystemExit, match=f"^error: [^\n]*{message}[^\n]*$") as refused:
        command.run(lambda: load_scorer(folder, here / "data/encoders", CPU))
    assert str(folder) in str(refused.value)


def test_the_most_accurate_on_valid_of_the_trained_models_is_chosen(here, tmp_path):
    for model, accuracy in {"tfidf": 0.7, "average": 0.8, "tiny_bigru": 0.8, "lstm": 0.99}.items():
        (tmp_path / f"{model}.json").write_text(json.dumps({"valid": {"accuracy": accuracy}}))
    assert best_on_valid(here / "data/trained/own", tmp_path) == "average"
    with pytest.raises(InputError, match=r"own holds no trained model; run `make repro RUN=own` first"):
        best_on_valid(tmp_path / "own", tmp_path)


def test_the_model_that_answers_is_chosen_by_the_score_that_the_corpus_names(here, tmp_path):
    scored = {
        "tfidf": {"accuracy": 0.9, "log_loss": 0.5, "macro_f1": 0.4},
        "average": {"accuracy": 0.8, "log_loss": 0.3, "macro_f1": 0.5},
        "tiny_bigru": {"accuracy": 0.7, "log_loss": 0.4, "macro_f1": 0.6},
    }
    for model, scores in scored.items():
        (tmp_path / f"{model}.json").write_text(json.dumps({"valid": scores}))
    found = [best_on_valid(here / "data/trained/own", tmp_path, score) for score in ("accuracy", "loss", "macro_f1")]
    assert found == ["tfidf", "average", "tiny_bigru"]
    (tmp_path / "average.json").write_text(json.dumps({"valid": {"accuracy": 0.8, "log_loss": 0.3}}))
    with pytest.raises(InputError, match=r"average.json has no macro_f1, which training.choose_by in corpora/own.yaml"):
        best_on_valid(here / "data/trained/own", tmp_path, "macro_f1")


def predicted(capsys, *texts: str, **options: object) -> list[dict]:
    assert run_here(stages.predict, *texts, corpus="own", **options) == ""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_every_text_is_a_line_of_json(here, capsys):
    texts = ["a great film 🎬", 'a "dull"\n\x1b[31mplot', "--"]
    rows = predicted(capsys, "--", *texts, model="tfidf")
    assert [list(row) for row in rows] == [["text", "label", "probability"]] * 3
    assert [row["text"] for row in rows] == texts
    assert [row["label"] for row in rows[:2]] == ["positive", "negative"]
    assert rows[0]["probability"] > 0.5 > rows[1]["probability"]


def test_arguments_a_file_and_standard_input_are_scored_alike(here, monkeypatch, capsys, tmp_path):
    chosen, texts = {"model": "average"}, ["a great film", "a dull plot"]
    (tmp_path / "texts.txt").write_bytes(b"a great film\r\na dull plot\r\n")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a great film\na dull plot")))
    of_arguments = predicted(capsys, *texts, **chosen, seed=2)
    assert of_arguments == predicted(capsys, **chosen, seed=2, file=tmp_path / "texts.txt")
    assert of_arguments == predicted(capsys, **chosen, seed=2)
    assert of_arguments != predicted(capsys, *texts, **chosen)


def test_lines_before_a_fault_are_scored(here, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a great film\na dull plot\n\ngood\n")))
    said = run_here(stages.predict, corpus="own", model="tfidf")
    assert said.startswith("error: standard input, line 3: the text is empty")
    scored = [json.loads(line)["text"] for line in capsys.readouterr().out.splitlines()]
    assert scored == ["a great film", "a dull plot"]


def test_without_a_model_the_chosen_one_is_named(here, capsys):
    assert run_here(stages.predict, "a text", corpus="own") == ""
    chosen = best_on_valid(here / "data/trained/own", here / "metrics/own")
    assert capsys.readouterr().err == f"scored by {chosen}; --model chooses another\n"


@pytest.mark.parametrize("options", [{"model": "averige"}, {"model": "average", "seed": 7}])
def test_what_is_not_trained_is_refused(here, options):
    said = run_here(stages.predict, "a text", corpus="own", **options)
    assert re.search(rf"data/trained/own.*{options['model']}", said)


def test_params_sentences_are_scored_by_every_model_over_its_seeds(here, tmp_path):
    for name in ("first", "again"):
        paths = {"trained": "data/trained/own", "encoders": "data/encoders"}
        assert run_here(stages.predict_sentences, corpus="own", out=tmp_path / name, **paths) == ""
    assert (tmp_path / "first").read_bytes() == (tmp_path / "again").read_bytes()
    scored = json.loads((tmp_path / "first").read_text())["sentences"]
    texts = [entry["text"] for entry in scored]
    assert texts == yaml.safe_load(Path("params.yaml").read_text())["predict"]["sentences"]
    for model in INPUT_KINDS:
        scorers = [load_scorer(trained_of(here, model, seed), here / "data/encoders", CPU)[1] for seed in (1, 2)]
        means = np.mean([scorer(texts)[:, 1] for scorer in scorers], axis=0)
        assert [entry["probability"][model] for entry in scored] == pytest.approx(means, abs=1e-4)
    assert all(set(entry["probability"]) == set(INPUT_KINDS) for entry in scored)


def test_a_terminal_gets_a_table_that_no_text_can_control(here, monkeypatch):
    leader, follower = pty.openpty()
    with open(leader, "rb", buffering=0) as screen, open(follower, "w", encoding="utf-8") as terminal:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdout", terminal)
        texts = ["a great film 🎬", "dull \x1b[2J\x9b1A\r\n\x07plot"]
        assert run_here(stages.predict, *texts, corpus="own", model="tfidf") == ""
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
    assert run_here(stages.predict, "un film génial 🎬", corpus="own", model="tfidf") == ""
    sys.stdout.flush()
    assert json.loads(sys.stdout.buffer.getvalue().decode())["text"] == "un film génial 🎬"


def peak_memory(process: subprocess.Popen[bytes]) -> float:
    """Memory of a running process, in MB."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())[1]) / 1000


def test_a_stream_of_any_length_is_scored_in_order_and_bounded_memory(here):
    texts = [f"text {number} of a {('dull', 'great')[number % 2]} film" for number in range(20_000)]
    lines = [f"{text}\n".encode() for text in texts]
    pipes = {"stdin": subprocess.PIPE, "stderr": None, "text": False}
    with start(here, *stage_command("predict", corpus="own", model="average"), **pipes) as process:
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
