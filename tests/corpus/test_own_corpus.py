"""Your own corpus is files and an entry; models learn it, whatever wrote it and however many classes it has."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import stages.build_vocab
import stages.download
import stages.evaluate
import stages.gather_texts
import stages.learn_vectors
import stages.prepare
import stages.tokenize_text
import stages.train
import stages.train_linear
from stages.training.trained import probability_columns
from tests.projects import Project

WORDS = {
    "0": ["schlecht", "naß", "grau", "fade"],
    "1": ["gut", "grün", "schön", "heiß"],
    "2": ["mittel", "lau", "egal", "halb"],
}


def rows(classes: int = 2) -> pd.DataFrame:
    """Texts of words of their class and of none."""
    generator = np.random.default_rng(1)
    labels = [str(row % classes) for row in range(120)]
    texts = [" ".join([*generator.choice(WORDS[label], 3), *generator.choice(list("abcdef"), 3)]) for label in labels]
    return pd.DataFrame({"text": texts, "label": labels})


def csv_of_pandas(path: Path) -> dict:
    rows().to_csv(path / "all.csv")
    return {"format": {}}


def csv_of_excel(path: Path) -> dict:
    """Semicolons and Windows-1252, as a spreadsheet saves CSV in much of Europe."""
    rows().to_csv(path / "all.csv", sep=";", index=False, encoding="windows-1252", lineterminator="\r\n")
    return {"format": {"delimiter": ";", "encoding": "windows-1252"}}


def unicode_csv_of_excel(path: Path) -> dict:
    """Semicolons and UTF-8 behind a byte order mark."""
    rows().to_csv(path / "all.csv", sep=";", index=False, encoding="utf-8-sig", lineterminator="\r\n")
    return {"format": {"delimiter": ";"}}


def parquet_of_datasets(path: Path) -> dict:
    """Labels are numbers of classes."""
    rows().astype({"label": "int64"}).to_parquet(path / "all.parquet", index=False)
    return {"source": {"files": {"all.parquet": None}}}


def three_classes(path: Path) -> dict:
    rows(classes=3).to_csv(path / "all.csv", index=False)
    return {"labels": {"bad": "0", "good": "1", "fair": "2"}}


@pytest.fixture
def evaluated(project: Project, run_here: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict]:
    """Run every stage up to a model's metrics on the corpus that a function writes and describes."""
    monkeypatch.chdir(project.folder)
    monkeypatch.setenv("DEVICE", "cpu")
    Path("data/own").mkdir(parents=True)

    def evaluated(write: Callable[[Path], dict], model: str) -> dict:
        described = {"source": {"files": {"all.csv": None}}} | write(Path("data/own"))
        (name,) = described["source"]["files"]
        shares = {"test": {"fraction": 0.25, "seed": 1}, "valid": {"fraction": 0.25, "seed": 1}}
        described |= {"splits": {"train": name, "repeated": "keep", **shares}}
        described |= {"training": {"batch_size": 8, "epochs": 12, "patience": 12, "final_fit": True}}
        for key, value in described.items():
            project.set(f"corpora.own.{key}", value)
        project.set("run.seeds", [1])
        corpus, run = {"corpus": "own"}, f"data/trained/own/{model}"
        results = {"metrics": "metrics.json", "predictions": "results.parquet", "confusion": "confusion.csv"}
        train = (
            (stages.train_linear, {"model": model, "words": "words", "out": run})
            if model == "tfidf"
            else (
                stages.train,
                {
                    "model": model,
                    "seed": 1,
                    "settings": "training",
                    "input": "vectors",
                    "pretrained": "vectors/vectors.safetensors",
                    "checkpoints": "c",
                    "out": f"{run}/1",
                },
            )
        )
        for stage, options in (
            (stages.download, {**corpus, "local": "data/own", "downloads": "downloads", "out": "raw"}),
            (stages.prepare, {**corpus, "raw": "raw", "out": "data/corpora/own"}),
            (stages.tokenize_text, {**corpus, "rows": "data/corpora/own", "out": "words"}),
            (stages.build_vocab, {**corpus, "words": "words", "out": "ids"}),
            (stages.gather_texts, {**corpus, "corpora": "data/corpora", "out": "texts"}),
            (stages.learn_vectors, {**corpus, "ids": "ids", "gathered": "texts", "out": "vectors"}),
            (train[0], corpus | train[1]),
            (stages.evaluate, {"trained": run, **results}),
        ):
            assert run_here(stage, **options) == ""
        return json.loads(Path("metrics.json").read_text(encoding="utf-8"))

    return evaluated


CASES = [
    (csv_of_pandas, "tfidf"),
    (csv_of_excel, "average"),
    (unicode_csv_of_excel, "tfidf"),
    (parquet_of_datasets, "average"),
    (three_classes, "tfidf"),
    (three_classes, "average"),
]


@pytest.mark.parametrize(("write", "model"), CASES, ids=lambda value: getattr(value, "__name__", value))
def test_a_corpus_of_ones_own_is_learned(evaluated, write, model):
    metrics = evaluated(write, model)
    assert metrics["test"]["accuracy"] > 0.9
    assert metrics["test"]["n"] == 30
    names = probability_columns(["bad", "good", "fair"] if write is three_classes else ["negative", "positive"])[1:]
    results = pd.read_parquet("results.parquet")
    assert list(results)[3:] == [name if model == "tfidf" else f"{name}_1" for name in names]
