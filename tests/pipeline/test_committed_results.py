"""What is committed: metrics that README and docs quote correctly, results that are not older than the code."""

import csv
import json
import re
import warnings

import pandas as pd
import pytest

from maintenance.stale import stale_stages
from stages.common import params
from stages.evaluate import DIGITS, SHOWN
from stages.scoring.predictions import read_predictions
from stages.scoring.scores import over_seeds, scores
from tests.projects import REPOSITORY

CORPORA = ("movies", "sst2", "imdb")  # the last columns of the tables; the first is the model
TABLES = {"README.md": 1, "docs/results.md": 3}  # how many columns come before the corpora's
NEW = {"balanced_accuracy", "macro_f1"}  # not in metrics that were written before them
METRICS = [path for corpus in (*CORPORA, "sample") for path in sorted((REPOSITORY / "metrics" / corpus).glob("*.json"))]


def test_there_are_metrics_of_every_corpus():
    assert {path.parent.name for path in METRICS} == {*CORPORA, "sample"}


def models_of(corpus: str) -> dict[str, dict]:
    return json.loads((REPOSITORY / "results" / corpus / "comparison.json").read_text())["models"]


@pytest.mark.parametrize("page", TABLES)
def test_a_page_quotes_every_accuracy_with_its_interval_and_no_other(page):
    found = {corpus: models_of(corpus) for corpus in CORPORA}
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", (REPOSITORY / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(model for model, _ in rows) == sorted(set().union(*found.values()))
    quoted = {model: [cell.strip() for cell in row.split("|")][TABLES[page] - 1 :] for model, row in rows}
    for model, cells in quoted.items():
        assert cells == [quote(found[corpus].get(model)) for corpus in CORPORA], model


def quote(scored: dict | None) -> str:
    """An accuracy as tables show it; a dash if the corpus's run does not have the model."""
    if scored is None:
        return "–"
    low, high = (100 * end for end in scored["interval"])
    return f"{100 * scored['accuracy']:.1f} ({low:.1f}–{high:.1f})"


@pytest.mark.parametrize("path", METRICS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_metrics_follow_from_the_committed_predictions(path):
    corpus, model = path.parent.name, path.stem
    classes = list(params.corpus(corpus, REPOSITORY)["labels"])
    metrics = json.loads(path.read_text())
    for split in ("valid", "test"):
        found = read_predictions(REPOSITORY / "results" / corpus / "predictions", [model], split, classes)[model]
        expected = over_seeds([scores(found.labels, probabilities) for probabilities in found.probabilities], DIGITS)
        shown = [name for name in SHOWN if name in metrics[split] or name not in NEW]
        assert metrics[split] == {name: expected[name] for name in shown} | {"n": len(found.ids)}


def test_no_committed_result_is_older_than_the_pipeline_and_its_code():
    """Only a warning for corpora that take long: run them again before you quote their figures."""
    stale = stale_stages()
    if stale:
        warnings.warn(f"older than the pipeline or its code: {', '.join(stale)}", stacklevel=1)
    assert {name: reasons for name, reasons in stale.items() if "@" not in name or "@sample" in name} == {}


NOTEBOOK_N = {  # what the notebook asked its model
    "Justice League is terrible. I hated it.": "negative",
    "Avengers was great!!": "positive",
    "XiaoShiDai is awesome!": "positive",
    "Shang Hai Bao Lei is too long, I feel tired.": "negative",
}


def test_the_default_model_is_right_about_plain_sentences():
    plain = pd.read_csv(REPOSITORY / "tests/plain_sentences.tsv", sep="\t", quoting=csv.QUOTE_NONE)
    metrics = {path.stem: json.loads(path.read_text()) for path in METRICS if path.parent.name == "movies"}
    model = max(sorted(metrics), key=lambda name: metrics[name]["valid"]["accuracy"])  # as serving/default_model.py
    scored = json.loads((REPOSITORY / "results/movies/sentences.json").read_text())["sentences"]
    found = {row["text"]: "positive" if row["probability"][model] > 0.5 else "negative" for row in scored}
    assert {text: found[text] for text in NOTEBOOK_N} == NOTEBOOK_N
    assert sum(found[text] == label for text, label in zip(plain["text"], plain["label"], strict=True)) >= 18
    assert len(plain) == 20
