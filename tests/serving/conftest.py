"""Models of two corpora, trained in seconds, and the demo that asks them."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import stages.build_vocab
import stages.download
import stages.gather_texts
import stages.learn_vectors
import stages.prepare
import stages.tokenize_text
import stages.train
import stages.train_linear
from stages.common import params
from stages.serving.demo.server import Demo
from stages.serving.demo.trained_models import TrainedModels
from stages.serving.scorers import load_scorer
from tests.commands import run_here
from tests.projects import new_project

SENTENCES = {"bad": "a dull and stupid plot", "good": "a great and moving film", "fair": "a plain and average story"}
TEXT = "a great film 🎬 & a <b>dull</b> plot"  # two words have an effect
CORPORA = {"own": ["bad", "good"], "three": ["bad", "good", "fair"]}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which two models of each of two corpora are trained, of a third corpus a damaged one."""
    once = {"batch_size": 8, "epochs": 2, "patience": 2, "final_fit": False}
    project = new_project(tmp_path_factory.mktemp("demo"), {})
    project.set("models.tfidf.search", {"longest_ngram": [1], "weighting": ["idf"], "inverse_regularization": [30.0]})
    project.set("models.average.optimization.learning_rate", 0.02)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.folder)
        patch.setenv("DEVICE", "cpu")
        for corpus, labels in CORPORA.items():
            described = {"labels": {label: label for label in labels}, "training": once}
            project.set(f"corpora.{corpus}", params.load()["corpora"]["own"] | described)
            for split in ("train", "valid", "test"):
                rows = [f"{SENTENCES[label]} number{number}\t{label}" for number in range(12) for label in labels]
                project.write(f"data/{corpus}/{split}.tsv", "\n".join(["text\tlabel", *rows, ""]).encode())
            made = ("raw", "corpora", "words", "ids", "texts", "domain_vectors", "trained")
            folders = {name: f"data/{name}/{corpus}" for name in made}
            chosen = {"corpus": corpus, "checkpoints": "data/checkpoints", "seed": 1, "settings": "training"}
            linear, network = f"{folders['trained']}/tfidf", f"{folders['trained']}/average/1"
            vectors = folders["domain_vectors"]
            chosen |= {"model": "average", "input": vectors, "pretrained": f"{vectors}/vectors.safetensors"}
            for stage, options in (
                (stages.download, {"downloads": "data/dl", "local": f"data/{corpus}", "out": folders["raw"]}),
                (stages.prepare, {"raw": folders["raw"], "out": folders["corpora"]}),
                (stages.tokenize_text, {"rows": folders["corpora"], "out": folders["words"]}),
                (stages.build_vocab, {"words": folders["words"], "out": folders["ids"]}),
                (stages.gather_texts, {"corpora": "data/corpora", "out": folders["texts"]}),
                (stages.learn_vectors, {"ids": folders["ids"], "gathered": folders["texts"], "out": vectors}),
                (stages.train_linear, {"model": "tfidf", "words": folders["words"], "out": linear}),
                (stages.train, {**chosen, "out": network}),
            ):
                assert run_here(stage, **{"corpus": corpus} | options) == ""
    damaged = shutil.copytree(project.folder / "data/trained/own/average", project.folder / "data/trained/third/cnn")
    (damaged / "1/model.safetensors").write_bytes(b"")
    return project.folder


@pytest.fixture
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project of a file's `folder`, as the current one."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DEVICE", "cpu")
    return folder


@pytest.fixture(scope="session")
def demo(folder: Path) -> Iterator[Demo]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEVICE", "cpu")
        models = TrainedModels(folder / "data/trained", folder / "data/encoders")
        with Demo(0, models, folder / "data/corpora") as demo:
            thread = threading.Thread(target=demo.serve_forever)
            thread.start()
            yield demo
            demo.shutdown()
            thread.join()


def scores(folder: Path, corpus: str, model: str, *texts: str) -> np.ndarray:
    trained = folder / "data/trained" / corpus / (model if model == "tfidf" else f"{model}/1")
    return load_scorer(trained, folder / "data/encoders")[1](texts)
