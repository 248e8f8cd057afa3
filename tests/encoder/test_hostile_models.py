"""Hostile models: weights, tokenizers and runs that lie are refused in one sentence; how a good one answers."""

import json
import re
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

from stages import download_encoder, predict, predict_sentences
from stages.common.command import InputError
from stages.models import average, finetuned
from stages.serving.scorers import load_scorer
from stages.training.trained import read_trained, write_trained
from tests.encoders import BERT
from tests.projects import only

CPU = torch.device("cpu")


def safetensors(header: object, size: int = 32, length: int | None = None) -> bytes:
    """A file of a header, or of one that says another length, and some bytes of data."""
    content = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(content) if length is None else length) + content + bytes(size)


def tensor(begin: int, end: int, shape: list[int], dtype: str = "F32") -> dict:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


NAME = "embeddings.word_embeddings.weight"
WEIGHTS = {
    "empty": b"",
    "no header": b"\0" * 7,
    "a header of exabytes": safetensors({}, length=1 << 63),
    "a header of gigabytes": safetensors({}, length=1 << 32),
    "a header longer than the file": safetensors({}, length=99),
    "a header that is not JSON": safetensors(b"{" * 32),
    "a header nested without end": safetensors(b'{"a":' * 20_000),
    "a header that is a list": safetensors([1]),
    "an offset out of the file": safetensors({NAME: tensor(0, 64, [4, 4])}),
    "an offset that wraps around": safetensors({NAME: tensor(2**64 - 32, 0, [2, 4])}),
    "an end before the begin": safetensors({NAME: tensor(32, 0, [2, 4])}),
    "tensors in one another": safetensors({NAME: tensor(0, 32, [2, 4]), "b": tensor(16, 32, [4])}),
    "bytes between tensors": safetensors({NAME: tensor(0, 8, [2]), "b": tensor(16, 32, [4])}),
    "a shape that does not fit": safetensors({NAME: tensor(0, 32, [60, 16])}),
    "a shape that overflows": safetensors({NAME: tensor(0, 32, [2**33, 2**33])}),
    "a negative shape": safetensors({NAME: tensor(0, 32, [-2, -4])}),
    "a type that there is not": safetensors({NAME: tensor(0, 32, [2, 4], "F128")}),
    "a number instead of the matrix": safetensors({NAME: tensor(0, 4, [])}, 4),
    "no tensors": safetensors({}, 0),
}


@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)
def test_an_encoders_lying_weights_are_refused(put_encoder, own, run_here, weights):
    (own / "model.safetensors").write_bytes(weights)
    put_encoder()
    message = run_here(download_encoder, encoder="own", downloads="data/downloads", out="data/encoders/own")
    assert re.search("encoders.own: (the files are damaged|.*model.safetensors holds )", message)
    assert list(Path("data/encoders").iterdir()) == []


@pytest.fixture
def words_run(tmp_path) -> Path:
    """A run of `average` that was never trained."""
    return new_run(tmp_path / "run", average.Classifier, {"vocabulary_size": 4}, "words", ["negative", "positive"])


def new_run(folder: Path, classifier: type, sizes: dict, kind: str, labels: list[str]) -> Path:
    architecture = {"dropout": 0.1}
    if kind == "words":
        architecture |= {"embedding_size": 3, "hidden_size": 2, "word_dropout": 0.1}
    arguments = {**sizes, "classes": len(labels), **architecture}
    about = {"kind": kind, "arguments": sizes, "tokenizer": "blanks", "max_length": 64}
    run = {"model": classifier.__module__.split(".")[-1], "arguments": arguments, "input": about, "corpus": "own"}
    run |= {"labels": labels, "class_weights": "none", "seed": 1, "best_epoch": 1, "parameters": 1}
    folder.mkdir(parents=True)
    torch.manual_seed(1)
    save_file(classifier(**arguments).state_dict(), folder / "model.safetensors")
    (folder / "vocab.txt").write_text("<pad>\n<unk>\ngood\nbad\n")
    write_trained(folder, run, pd.DataFrame(), pd.DataFrame(), [])
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(InputError) as refused:
        load_scorer(folder, folder, CPU)
    assert str(folder) in str(refused.value)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < len(str(folder)) + 300
    return str(refused.value)


@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)
def test_a_runs_lying_weights_are_refused(words_run, weights):
    (words_run / "model.safetensors").write_bytes(weights)
    assert "is damaged (" in refusal(words_run)


def test_weights_that_are_not_numbers_are_refused(words_run):
    weights = load_file(words_run / "model.safetensors")
    save_file(weights | {"output.bias": torch.tensor([float("nan"), 0])}, words_run / "model.safetensors")
    assert "a probability is not a number" in refusal(words_run)


KIND = {"kind": "words", "tokenizer": "blanks"}
SIZES = {"vocabulary_size": 4, "classes": 2, "embedding_size": 3, "hidden_size": 2, "word_dropout": 0.1, "dropout": 0.1}
ENCODER = {"name": "tiny", "weights": "0", "layers": [0], "mix": "mean", "precision": "fp32"}

# What run.json says instead of the truth, and what the message names.
RUNS = {
    "a module above the models": ({"model": "..lib.files"}, "names '..lib.files', which is not a module"),
    "a module in a folder": ({"model": "cells/../average"}, "which is not a module of stages/models"),
    "a package": ({"model": "__init__"}, "which is not a module of stages/models"),
    "a module without a model": ({"model": "pretrained_vectors"}, "no attribute 'Classifier'"),
    "another model": ({"model": "tfidf"}, "damaged"),
    "arguments in a list": ({"arguments": [4, 2]}, "run.json: arguments is [4, 2]; it should be a mapping"),
    "arguments that there are not": ({"arguments": SIZES | {"evil": 1}}, "unexpected keyword argument 'evil'"),
    "a size of nothing": ({"arguments": SIZES | {"hidden_size": "2"}}, "damaged"),
    "sizes that fill the memory": ({"arguments": SIZES | {"vocabulary_size": 10**14}}, "hold the tensors of the model"),
    "more words than the vocabulary": ({"arguments": SIZES | {"vocabulary_size": 3}}, "hold the tensors of the model"),
    "labels that are a number": ({"labels": 2}, "run.json: labels is 2; it should be a list of two or more"),
    "labels that are numbers": ({"labels": [0, 1]}, "it should be a name"),
    "the same label twice": ({"labels": ["a", "a"]}, "it should be a list of two or more different names"),
    "one label": ({"labels": ["a"]}, "it should be a list of two or more different names"),
    "more labels than classes": ({"labels": ["a", "b", "c"]}, "run.json has 3 labels, but the model has 2 classes"),
    "a label that is not text": ({"labels": ["a", "\ud800"]}, "it should be a name"),
    "an input in a list": ({"input": [1]}, "run.json: input is [1]; it should be a mapping"),
    "an input of no kind": ({"input": {}}, "run.json: input lacks the key 'kind'"),
    "a kind in a list": ({"input": {"kind": ["words"]}}, "run.json: input.kind is ['words']; it should be text, words"),
    "no tokenizer": ({"input": {"kind": "words"}}, "run.json: input lacks the key 'tokenizer'"),
    "a tokenizer that there is not": (
        {"input": KIND | {"tokenizer": "evil"}},
        "input.tokenizer is 'evil'; it should be",
    ),
    "no longest text": ({"input": {"kind": "wordpieces"}}, "run.json: input lacks the key 'max_length'"),
    "a length of nothing": ({"input": {"kind": "wordpieces", "max_length": 0}}, "input.max_length is 0; it should be"),
    "no encoder": ({"input": {"kind": "features", "max_length": 9}}, "run.json: input lacks the key 'encoder'"),
    "an encoder out of its folder": (
        {"input": {"kind": "features", "max_length": 9, "encoder": ENCODER | {"name": "../evil"}}},
        "run.json: input.encoder.name is '../evil'; it should be a name",
    ),
}


@pytest.mark.parametrize(("changes", "message"), RUNS.values(), ids=RUNS)
def test_a_run_that_lies_is_refused(words_run, changes, message):
    run = json.loads((words_run / "run.json").read_text())
    (words_run / "run.json").write_text(json.dumps(run | changes))
    assert message in refusal(words_run)


@pytest.mark.parametrize("content", [b"", b"[" * 100_000, b"null", b'{"format": 3}'])
def test_a_damaged_run_json_is_refused(words_run, content):
    (words_run / "run.json").write_bytes(content)
    refusal(words_run)
    with pytest.raises(InputError, match=r"run\.json"):
        read_trained(words_run)


def test_a_vocabulary_that_agrees_with_the_input_but_not_with_the_model_is_refused(words_run):
    run = json.loads((words_run / "run.json").read_text())
    run["input"]["arguments"]["vocabulary_size"] = 5
    (words_run / "run.json").write_text(json.dumps(run))
    with (words_run / "vocab.txt").open("a") as file:
        file.write("evil\n")
    assert "vocab.txt has 5 words, but the model has 4" in refusal(words_run)


def changed_tokenizer(**parts: object) -> Callable[[dict], None]:
    return lambda content: content.update(parts)


def piece_numbered(number: int) -> Callable[[dict], None]:
    return lambda content: content["model"]["vocab"].update(evil=number)


def ends_numbered(number: int) -> Callable[[dict], None]:
    return lambda content: content["post_processor"]["special_tokens"]["[CLS]"].update(ids=[number])


SPLIT = {"type": "Split", "pattern": {"Regex": "(x+x+)+y"}, "behavior": "Removed", "invert": False}
TOKENIZERS = {
    "a piece more than there are vectors": (piece_numbered(60), "has 61 pieces, the weights 60"),
    "a number far off": (piece_numbered(4_000_000_000), "has 4000000001 pieces, the weights 60"),
    "an end out of the vocabulary": (ends_numbered(99), "gives '[CLS]' the id 99, which is not its own"),
    "no ends": (changed_tokenizer(post_processor=None), "does not put one piece before a text and one behind it"),
    "a template that names nothing": (
        lambda content: content["post_processor"].update(single=[{"SpecialToken": {"id": "[X]", "type_id": 0}}]),
        "is not a tokenizer that can be run",
    ),
    "an expression without end": (
        changed_tokenizer(pre_tokenizer={"type": "Sequence", "pretokenizers": [SPLIT]}),
        "runs the expression '(x+x+)+y', which may never end",
    ),
    "a normalizer that panics": (
        changed_tokenizer(normalizer={"type": "Precompiled", "precompiled_charsmap": "AAAA"}),
        "is not a tokenizer that can be run",
    ),
    "no parts": (lambda content: content.clear(), "is not a tokenizer that can be run"),
    "a part that is a list": (changed_tokenizer(model=[1]), "is not a tokenizer that can be run"),
    "a type of its own": (
        lambda content: content["post_processor"]["single"][1]["Sequence"].update(type_id=1),
        "does not put one piece before a text and one behind it",
    ),
}


@pytest.mark.parametrize(("change", "message"), TOKENIZERS.values(), ids=TOKENIZERS)
def test_a_swapped_tokenizer_is_refused_in_an_encoder_and_in_a_run(
    put_encoder, own, run_here, tmp_path, change, message
):
    content = json.loads((own / "tokenizer.json").read_text())
    change(content)
    (own / "tokenizer.json").write_text(json.dumps(content))
    put_encoder()
    said = run_here(download_encoder, encoder="own", downloads="data/downloads", out="data/encoders/own")
    assert message in said
    assert list(Path("data/encoders").iterdir()) == []
    sizes = {"config": BERT, "precision": "fp32"}
    run = new_run(tmp_path / "run", finetuned.Classifier, sizes, "wordpieces", ["negative", "positive"])
    (run / "tokenizer.json").write_bytes((own / "tokenizer.json").read_bytes())
    assert message in refusal(run)


LABELS = ["bad", "so so", "good"]


@pytest.fixture
def answers(project, run_here, monkeypatch, capsys) -> Callable[..., str]:
    """Trains nothing but writes a run of some classes, asks it, and returns what it says."""
    monkeypatch.chdir(project.folder)
    monkeypatch.setenv("DEVICE", "cpu")
    project.write("texts", b"good\ngood bad\n")

    def answers(labels: list[str], **options: object) -> str:
        new_run(Path("data/trained/own/average/1"), average.Classifier, {"vocabulary_size": 4}, "words", labels)
        said = run_here(predict, corpus="own", **options)
        return said or capsys.readouterr().out

    return answers


def test_of_more_classes_every_one_has_its_probability(answers):
    first, second = map(json.loads, answers(LABELS, model="average", file="texts").splitlines())
    assert list(first) == ["text", "label", "probabilities"]
    assert list(first["probabilities"]) == LABELS
    for row in (first, second):
        assert row["label"] == max(row["probabilities"], key=row["probabilities"].get)
        assert sum(row["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert first["probabilities"] != second["probabilities"]


def test_of_two_classes_the_last_ones_probability_is_said(answers):
    first, _ = map(json.loads, answers(["bad", "good"], model="average", file="texts").splitlines())
    assert list(first) == ["text", "label", "probability"]
    assert (first["probability"] > 0.5) == (first["label"] == "good")


def test_a_terminal_gets_the_chosen_classs_probability(answers, monkeypatch):
    rows = [json.loads(line) for line in answers(LABELS, model="average", file="texts").splitlines()]
    shutil.rmtree("data/trained")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    expected = [f"{row['label']:10} {max(row['probabilities'].values()):.3f}  {row['text']}" for row in rows]
    assert answers(LABELS, model="average", file="texts").splitlines() == expected


def test_neither_a_label_nor_a_text_steers_a_terminal(answers, project, monkeypatch):
    project.write("texts", "a\u202egnp.exe\u2028\x9bA".encode())
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert answers(["\x1b[2J", "\x1b[1J"], model="average", file="texts").rstrip("\n").isprintable()


def test_the_sentences_of_params_get_every_class(answers, project, run_here):
    project.set("run.models", only(pooled=["average"]))
    project.set("run.seeds", [1])
    answers(LABELS, model="average", file="texts")
    paths = {"trained": "data/trained/own", "encoders": "data/encoders", "out": "sentences.json"}
    assert run_here(predict_sentences, corpus="own", **paths) == ""
    for entry in json.loads(Path("sentences.json").read_text())["sentences"]:
        assert list(entry) == ["probabilities", "text"]
        assert set(entry["probabilities"]["average"]) == set(LABELS)


def test_a_seed_for_a_model_without_seeds_is_refused(answers, project):
    new_run(project.folder / "data/trained/own/tfidf", average.Classifier, {"vocabulary_size": 4}, "words", ["a", "b"])
    message = answers(["a", "b"], model="tfidf", seed=1, file="texts")
    assert message == "error: data/trained/own/tfidf was trained without a seed; leave --seed out"
