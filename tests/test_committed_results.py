"""What is committed: metrics that the README quotes rightly, results that are no older than the code."""

import json
import re
import warnings
from pathlib import Path

import pytest

from maintenance.stale import stale_stages
from stages.common import params
from stages.evaluate import DIGITS, SHOWN
from stages.scoring.predictions import read_predictions
from stages.scoring.scores import over_seeds, scores

ROOT = Path(__file__).parent.parent
CORPORA = ("sst2", "imdb", "sample")  # the columns of the README's table
METRICS = [path for corpus in CORPORA for path in sorted((ROOT / "metrics" / corpus).glob("*.json"))]


def test_there_are_metrics_of_every_corpus():
    assert {path.parent.name for path in METRICS} == set(CORPORA)


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
