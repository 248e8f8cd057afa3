"""What is committed: metrics that the README quotes rightly, results that are no older than the code."""

import csv
import json
import re
import warnings
from pathlib import Path

import pandas as pd
import pytest

from maintenance.stale import stale_stages
from stages.common import params
from stages.evaluate import DIGITS, SHOWN
from stages.scoring.predictions import read_predictions
from stages.scoring.scores import over_seeds, scores

ROOT = Path(__file__).parent.parent
CORPORA = ("movies", "sst2", "imdb")  # the columns of the README's table
METRICS = [path for corpus in (*CORPORA, "sample") for path in sorted((ROOT / "metrics" / corpus).glob("*.json"))]


def test_there_are_metrics_of_every_corpus():
    assert {path.parent.name for path in METRICS} == {*CORPORA, "sample"}


def models_of(corpus: str) -> dict[str, dict]:
    return json.loads((ROOT / "results" / corpus / "comparison.json").read_text())["models"]


@pytest.mark.parametrize(("corpus", "model"), [(corpus, model) for corpus in CORPORA for model in models_of(corpus)])
def test_the_readme_quotes_the_accuracy_and_its_interval(corpus, model):
    found = models_of(corpus)[model]
    low, high = (100 * end for end in found["interval"])
    quoted = f"{100 * found['accuracy']:.1f} ({low:.1f}–{high:.1f})"
    rows = re.findall(rf"^\| `{model}` \|.*$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) == 1
    assert rows[0].split("|")[4 + CORPORA.index(corpus)].strip() == quoted


@pytest.mark.parametrize("path", METRICS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_metrics_follow_from_the_predictions_beside_them(path):
    corpus, model = path.parent.name, path.stem
    classes = list(params.corpus(corpus, ROOT)["labels"])
    metrics = json.loads(path.read_text())
    for split in ("valid", "test"):
        found = read_predictions(ROOT / "results" / corpus / "predictions", [model], split, classes)[model]
        expected = over_seeds([scores(found.labels, probabilities) for probabilities in found.probabilities], DIGITS)
        assert metrics[split] == {name: expected[name] for name in SHOWN} | {"n": len(found.ids)}


def test_no_committed_result_is_older_than_the_pipeline_and_its_code():
    """Only a warning for the corpora that take long: rerun them before their figures are quoted again."""
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


def test_the_model_that_answers_by_default_is_right_about_plain_sentences():
    plain = pd.read_csv(ROOT / "tests/plain_sentences.tsv", sep="\t", quoting=csv.QUOTE_NONE)
    metrics = {path.stem: json.loads(path.read_text()) for path in METRICS if path.parent.name == "movies"}
    model = max(sorted(metrics), key=lambda name: metrics[name]["valid"]["accuracy"])  # as serving/choice.py
    scored = json.loads((ROOT / "results/movies/sentences.json").read_text())["sentences"]
    found = {row["text"]: "positive" if row["probability"][model] > 0.5 else "negative" for row in scored}
    assert {text: found[text] for text in NOTEBOOK_N} == NOTEBOOK_N
    assert sum(found[text] == label for text, label in zip(plain["text"], plain["label"], strict=True)) >= 18
    assert len(plain) == 20
