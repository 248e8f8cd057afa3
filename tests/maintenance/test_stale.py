"""What an edit makes run again, of the embedded corpus as it is committed: `dvc status` without any data."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.commands import run
from tests.pipeline.test_contract import imported_files
from tests.projects import REPOSITORY

CELL = "stages/models/layers/lstm_cell.py"


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copied")
    for name in ("stages", "metrics", "results", "benchmarks"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(REPOSITORY / "data/sample", folder / "data/sample")
    shutil.copytree(REPOSITORY / "corpora", folder / "corpora")
    for name in ("dvc.yaml", "dvc.lock", "params.yaml", ".dvcignore"):
        shutil.copyfile(REPOSITORY / name, folder / name)
    shutil.copyfile(REPOSITORY / "runs/sample.yaml", folder / "run.yaml")
    (folder / ".dvc").mkdir()
    (folder / ".dvc/config").write_text("[core]\n    no_scm = true\n    analytics = false\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def status(copied: Path) -> Callable[[], dict[str, list]]:
    def status() -> dict[str, list]:
        """The stages that `dvc status` names, with what it says of each."""
        return json.loads(run(copied, "dvc", "status", "--json"))

    return status


def changed_deps(found: list) -> set[str]:
    return {path for entry in found if "changed deps" in entry for path in entry["changed deps"]}


def test_a_message_or_a_new_layer_makes_nothing_stale_and_a_cell_the_models_that_use_it(copied, status):
    before = status()
    message = copied / "stages/common/command.py"
    message.write_text(message.read_text(encoding="utf-8").replace("memory is too small", "memory is short"), "utf-8")
    assert "memory is short" in message.read_text(encoding="utf-8")
    (copied / "stages/models/layers/new_cell.py").write_text('"""A new layer."""\n', encoding="utf-8")
    assert status() == before

    cell = copied / CELL
    cell.write_text(cell.read_text(encoding="utf-8") + "# edited\n", encoding="utf-8")
    named = {stage for stage, found in status().items() if CELL in changed_deps(found)}
    chosen = yaml.safe_load((copied / "run.yaml").read_text(encoding="utf-8"))["run"]
    kinds = chosen["models"]
    users = {name for kind in kinds for name in kinds[kind] if CELL in imported_files(f"stages/models/{name}.py")}
    of_teacher = {"distilled": f"{chosen['teachers'][0]}-"}  # in the names of stages
    trained = {
        f"train_{kind}@sample-{of_teacher.get(kind, '')}{name}-{seed}"
        for kind in kinds
        for name in kinds[kind]
        for seed in chosen["seeds"]
        if name in users and kind != "glove"
    }
    assert named == trained | {"study_gates"}
