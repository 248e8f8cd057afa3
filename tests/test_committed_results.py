"""What is committed: metrics that the README quotes rightly, results that are no older than the code."""

import hashlib
import json
import re
import warnings
from pathlib import Path

import pytest
import yaml

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


def test_no_committed_result_is_older_than_the_code_that_makes_it():
    """Only a warning for the corpora that take long: rerun them before their figures are quoted again."""
    stale = []
    for stage, entry in yaml.safe_load((ROOT / "dvc.lock").read_text())["stages"].items():
        code = [dep for dep in entry["deps"] if dep["path"].startswith("stages/")]
        changed = [dep["path"] for dep in code if md5(ROOT / dep["path"]) != dep["md5"]]
        stale += [f"{stage} ({', '.join(changed)})"] if changed else []
    if stale:
        warnings.warn(f"older than the code: {'; '.join(stale)}", stacklevel=1)
    assert [stage for stage in stale if "@sample" in stage] == []


def test_the_lock_is_of_this_pipeline():
    pipeline = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    lock = yaml.safe_load((ROOT / "dvc.lock").read_text())["stages"]
    assert {name.split("@")[0] for name in lock} == set(pipeline)
    for name, entry in lock.items():
        group, _, values = name.partition("@")
        axes = dict(zip(pipeline[group].get("matrix", {}), values.split("-"), strict=values != ""))
        deps = set(pipeline[group]["deps"])
        for axis, value in axes.items():
            deps = {dep.replace(f"${{item.{axis}}}", value) for dep in deps}
        assert {dep["path"] for dep in entry["deps"]} == deps, name


def md5(path: Path) -> str | None:
    return hashlib.md5(path.read_bytes()).hexdigest() if path.is_file() else None
