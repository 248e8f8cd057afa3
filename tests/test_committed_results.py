"""What is committed: metrics that the README quotes rightly, results that are no older than the code."""

import json
import re
import warnings
from pathlib import Path

import pytest

from maintenance.stale import stale_stages

ROOT = Path(__file__).parent.parent
CORPORA = ("sst2", "sample")  # the columns of the README's table
METRICS = [path for corpus in CORPORA for path in sorted((ROOT / "metrics" / corpus).glob("*.json"))]


def test_there_are_metrics_of_both_corpora():
    assert {path.parent.name for path in METRICS} == set(CORPORA)


@pytest.mark.parametrize("path", METRICS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_readme_quotes_the_metrics(path):
    test = json.loads(path.read_text())["test"]
    quoted = f"{100 * test['accuracy']:.1f} ± {100 * test['accuracy_std']:.1f}"
    rows = re.findall(rf"^\| `{path.stem}` \|.*$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) == 1
    assert rows[0].split("|")[4 + CORPORA.index(path.parent.name)].strip() == quoted


def test_no_committed_result_is_older_than_the_pipeline_and_its_code():
    """Only a warning for the corpora that take long: rerun them before their figures are quoted again."""
    stale = stale_stages()
    if stale:
        warnings.warn(f"older than the pipeline or its code: {', '.join(stale)}", stacklevel=1)
    assert {name: reasons for name, reasons in stale.items() if "@" not in name or "@sample" in name} == {}
