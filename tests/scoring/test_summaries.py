"""`compare`, `analyze` and what the report makes of them, on predictions made up for corpora of several shapes."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages import analyze, compare
from stages.reporting.corpora import describe, evaluated
from tests.projects import Project, only

ROWS = 60
THREE = {"bad": "1", "fair": "3", "good": "5"}
TWO = {"negative": "0", "positive": "1"}


@pytest.fixture
def summarized(project: Project, run_here: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """The results of models, each with the share of rows on which its runs are right, after both stages.

    metrics: what `evaluate` has written of each model beside its number of parameters.
    """

    def summarized(
        models: dict[str, list[float]],
        labels: dict[str, str] = TWO,
        split: str = "test",
        draw: Callable = made_up,
        metrics: dict | None = None,
    ) -> Path:
        project.set("corpora.own.labels", labels)
        project.set("run", run_of(list(models)))
        project.set("evaluate.splits", ["valid", "test"] if split == "test" else ["valid"])
        project.set("compare.resamples", 200)
        ids = [f"{split}.tsv:{row}" for row in range(2, ROWS + 2)]
        truth = np.random.default_rng(1).integers(len(labels), size=ROWS)
        folders = {
            name: project.folder / name for name in ("words", "ids", "rows", "metrics", "results/own/predictions")
        }
        for folder in folders.values():
            folder.mkdir(parents=True, exist_ok=True)
        words = [["good"] * (1 + row % 7) + ["not"] * (row % 3) for row in range(ROWS)]
        pd.DataFrame({"id": ids, "label": truth, "words": words}).to_parquet(folders["words"] / f"{split}.parquet")
        texts = [" ".join(text) for text in words]
        pd.DataFrame({"id": ids, "label": truth, "text": texts}).to_parquet(folders["rows"] / f"{split}.parquet")
        (folders["ids"] / "vocab.txt").write_text("<pad>\n<unk>\ngood\n")
        for model, shares in models.items():
            table = {"split": split, "id": ids, "label": truth}
            for seed, share in enumerate(shares, start=1):
                probabilities = draw(truth, len(labels), share, seed)
                names = [f"probability_{label}" + (f"_{seed}" if len(shares) > 1 else "") for label in labels]
                table |= dict(zip(names[1:], probabilities.T[1:], strict=True))
            pd.DataFrame(table).to_parquet(folders["results/own/predictions"] / f"{model}.parquet")
            (folders["metrics"] / f"{model}.json").write_text(json.dumps({"parameters": 7} | (metrics or {})))
        monkeypatch.chdir(project.folder)
        given = {"corpus": "own", "predictions": "results/own/predictions"}
        assert run_here(compare, **given, metrics="metrics", out="results/own/comparison.json") == ""
        of_texts = {"rows": "rows", "words": "words", "ids": "ids", "texts": "mistakes.json"}
        assert run_here(analyze, **given, **of_texts, out="results/own/errors.json") == ""
        return project.folder / "results/own"

    return summarized


def run_of(models: list[str]) -> dict:
    chosen = {"corpora": ["own"], "described_by": "minilm", "glove_dimensions": [], "notebook": [], "seeds": [1]}
    chosen |= {key: [] for key in ("encoders", "frozen_encoders", "finetuned_encoders", "teachers")}
    chosen |= {"unlabelled_corpora": []}
    return chosen | {"models": only(pooled=models)}


def made_up(truth: np.ndarray, classes: int, share: float, seed: int) -> np.ndarray:
    """Probabilities (N, C) that favour the label on a share of the rows and the next class on the others."""
    right = np.arange(len(truth)) < share * len(truth)
    favoured = np.where(np.random.default_rng(seed).permutation(right), truth, (truth + 1) % classes)
    return np.where(np.eye(classes)[favoured] == 1, 0.8, 0.2 / (classes - 1))


def sure(truth: np.ndarray, classes: int, share: float, seed: int) -> np.ndarray:
    """The same, as a network's softmax in float32 of logits far apart."""
    logits = 20 * made_up(truth, classes, share, seed) + np.random.default_rng(seed).normal(size=(len(truth), classes))
    exponentials = np.exp(logits.astype(np.float32))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("labels", [TWO, THREE], ids=["two classes", "three"])
@pytest.mark.parametrize("split", ["test", "valid"])
def test_every_model_has_its_scores_interval_and_pairs(summarized, labels, split):
    results = summarized({"average": [0.6], "rnn": [0.9, 0.8], "lstm": [0.9]}, labels, split)
    found = json.loads((results / "comparison.json").read_text())
    assert (found["split"], found["rows"], found["order"]) == (split, ROWS, ["average", "rnn", "lstm"])
    model = found["models"]["rnn"]
    assert model["accuracies"] == [0.9, 0.8] and model["accuracy"] == 0.85 and model["runs"] == 2
    assert model["interval"][0] < 0.85 < model["interval"][1]
    assert np.sum(model["confusion"]) == pytest.approx(1, abs=1e-3)
    assert np.trace(model["confusion"]) == pytest.approx(0.85, abs=1e-3)
    assert ("by_class" in model) == (len(labels) > 2)
    for number, name in enumerate(labels if len(labels) > 2 else ()):
        cells = np.array(model["confusion"])  # (C, C), shares of all rows
        assert model["by_class"][name]["recall"] == pytest.approx(cells[number, number] / cells[number].sum(), abs=1e-3)
        assert model["by_class"][name]["support"] == pytest.approx(ROWS * cells[number].sum(), abs=0.1)
    pairs = {(pair["first"], pair["second"]): pair for pair in found["pairs"]}
    assert set(pairs) == {("average", "rnn"), ("average", "lstm"), ("rnn", "lstm")}
    assert pairs["average", "lstm"]["difference"] == pytest.approx(0.3)
    assert pairs["average", "lstm"]["p_value_holm"] < 0.01

    errors = json.loads((results / "errors.json").read_text())
    assert errors["models"]["lstm"]["expected_calibration_error"] == pytest.approx(0.1)  # says 0.8, is right on 0.9
    for groups in errors["models"]["lstm"]["accuracy_by"].values():
        assert sum(group["rows"] for group in groups) == ROWS
        assert sum(group["rows"] * group["accuracy"] for group in groups) == pytest.approx(54, abs=0.1)
    assert errors["agreement"]["average"]["average"] == 1
    assert errors["agreement"]["average"]["lstm"] == errors["agreement"]["lstm"]["average"]


def test_two_classes_have_their_scores_where_one_model_was_trained_with_weights(summarized):
    results = summarized({"average": [0.6], "rnn": [0.9]}, metrics={"test": {"by_class": {}}})
    models = json.loads((results / "comparison.json").read_text())["models"]
    assert all(set(model["by_class"]) == {"negative", "positive"} for model in models.values())
    shown = describe(results, results.parent.parent / "mistakes.json", selected=True, claims={})
    assert set(shown["by_class"]) == {"average", "rnn"}


def test_results_of_older_code_are_described_without_what_they_lack(summarized):
    results = summarized({"average": [0.6], "rnn": [0.9]}, THREE)
    comparison = json.loads((results / "comparison.json").read_text())
    for model in comparison["models"].values():
        for key in ("balanced_accuracy", "macro_f1", "by_class"):
            del model[key]
    (results / "comparison.json").write_text(json.dumps(comparison))
    found = describe(results, results.parent.parent / "mistakes.json", selected=True, claims={})
    assert (found["by_class"], found["has_class_means"]) == ({}, False)


def test_the_surest_mistakes_come_with_their_texts_outside_of_git(summarized):
    results = summarized({"average": [0.6]})
    mistakes = json.loads((results / "errors.json").read_text())["models"]["average"]["mistakes"]
    texts = json.loads((results.parent.parent / "mistakes.json").read_text())
    assert len(mistakes) == analyze.MISTAKES
    assert {mistake["id"] for mistake in mistakes} == set(texts)
    assert all(mistake["probability_of_label"] == pytest.approx(0.2) for mistake in mistakes)
    assert "text" not in json.dumps(mistakes)


@pytest.mark.parametrize("models", [{"average": [1.0]}, {"average": [1.0], "rnn": [1.0, 1.0]}])
def test_models_without_a_mistake_or_without_another_beside_them_are_described(summarized, models):
    results = summarized(models)
    assert evaluated(results.parent, [results.name]) == [results]
    found = describe(results, results.parent.parent / "mistakes.json", selected=True, claims=[])
    assert list(found["models"]) == list(models)
    assert found["mistakes"] == []
    assert set(found["charts"]) == {"frontier", "ladder", "reliability"}  # no epochs, no learning curves


def test_sure_predictions_of_three_classes_are_scored_though_float32_rounds(summarized):
    """The first class's probability is what the others leave, and float32 may have it below 0."""
    results = summarized({"average": [0.9], "rnn": [0.8, 0.9]}, THREE, draw=sure)
    assert json.loads((results / "comparison.json").read_text())["models"]["rnn"]["accuracy"] == 0.85


def test_rows_that_are_not_the_same_for_all_models_are_one_sentence(summarized, run_here):
    results = summarized({"average": [0.6], "rnn": [0.9]})
    path = results / "predictions/rnn.parquet"
    pd.read_parquet(path).iloc[:-1].to_parquet(path)
    said = run_here(compare, corpus="own", predictions=path.parent, metrics="metrics", out="other.json")
    assert "rnn.parquet is of other rows than average.parquet" in said
    assert not Path("other.json").exists()


def test_a_run_of_no_model_is_one_sentence(project, run_here, monkeypatch):
    project.set("run", run_of([]))
    monkeypatch.chdir(project.folder)
    said = run_here(compare, corpus="own", predictions="none", metrics="metrics", out="out.json")
    assert said.startswith("error: run.yaml: run.models names no model")


def test_a_model_that_was_not_evaluated_is_one_sentence(project, run_here, monkeypatch):
    project.set("run", run_of(["average"]))
    monkeypatch.chdir(project.folder)
    said = run_here(compare, corpus="own", predictions="none", metrics="metrics", out="out.json")
    assert said == "error: none/average.parquet is missing; `dvc repro` makes it"
    assert not Path("out.json").exists()
