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
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
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
    pipeline, lock = (yaml.safe_load((ROOT / file).read_text())["stages"] for file in ("dvc.yaml", "dvc.lock"))
    stale = {}
    for name, entry in lock.items():
        group, _, values = name.partition("@")
        if reasons := differences(pipeline[group], values, entry) if group in pipeline else ["no stage any more"]:
            stale[name] = reasons
    if stale:
        warnings.warn(f"older than the pipeline or its code: {', '.join(stale)}", stacklevel=1)
    assert {"check_params", "download@sample"} <= set(lock)
    assert {name: reasons for name, reasons in stale.items() if "@" not in name or "@sample" in name} == {}


def differences(stage: dict, values: str, entry: dict) -> list[str]:
    """Dependencies of a stage, at the values of its matrix, that the lock lacks, has too many, or in other code."""
    deps = {dep.replace("${run.encoder}", PARAMS["run"]["encoder"]) for dep in stage["deps"]}
    for axis, value in zip(stage.get("matrix", {}), values.split("-") if values else [], strict=True):
        deps = {dep.replace(f"${{item.{axis}}}", value) for dep in deps}
    code = [dep for dep in entry["deps"] if dep["path"].startswith("stages/")]
    changed = {dep["path"] for dep in code if md5(ROOT / dep["path"]) != dep["md5"]}
    return sorted(deps ^ {dep["path"] for dep in entry["deps"]} | changed)


def md5(path: Path) -> str | None:
    """As DVC has it: of a folder, that of the list of its files."""
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file() and file.suffix != ".pyc")
        entries = [{"md5": md5(file), "relpath": file.relative_to(path).as_posix()} for file in files]
        return hashlib.md5(json.dumps(entries).encode()).hexdigest() + ".dir"
    return hashlib.md5(path.read_bytes()).hexdigest() if path.is_file() else None
