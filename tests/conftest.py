"""A project of one small corpus in a temporary folder, and stages run in it as DVC runs them."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from stages.lib import command

REPOSITORY = Path(__file__).parent.parent
CORPUS = {
    "source": {"files": {"train.tsv": None, "valid.tsv": None, "test.tsv": None}},
    "splits": {"train": "train.tsv", "valid": "valid.tsv", "test": "test.tsv"},
    "columns": {"text": "text", "label": "label"},
    "labels": {"negative": "0", "positive": "1"},
    "tokenizer": "blanks",
    "min_count": 1,
}


@dataclass(frozen=True)
class Project:
    """The corpus `own`, described in params.yaml beside the repository's parameters; trained on as `sample` is."""

    folder: Path

    def set(self, key: str, value: object) -> None:
        """Put a value into params.yaml; `key` is dotted."""
        path = self.folder / "params.yaml"
        everything = yaml.safe_load(path.read_text(encoding="utf-8"))
        *parents, last = key.split(".")
        mapping = everything
        for parent in parents:
            mapping = mapping[parent]
        mapping[last] = value
        path.write_text(yaml.safe_dump(everything), encoding="utf-8")

    def write(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def run_stage(
        self, name: str, env: dict[str, str] | None = None, preexec_fn: Callable[[], None] | None = None, **options: str
    ) -> subprocess.CompletedProcess:
        """Run a stage for the corpus `own`; `out="data/x"` is `--out data/x`."""
        inherited = {key: value for key, value in os.environ.items() if key != "DATA_MIRROR"}
        fixed = {"PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1", "NO_PROXY": "*"}
        arguments = [part for key, value in options.items() for part in (f"--{key}", value)]
        return subprocess.run(
            [sys.executable, "-m", f"stages.{name}", "--corpus", "own", *arguments],
            cwd=self.folder,
            env=inherited | fixed | (env or {}),
            preexec_fn=preexec_fn,
            capture_output=True,
            text=True,
            timeout=60,
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    project.write("params.yaml", (REPOSITORY / "params.yaml").read_bytes())
    sample = yaml.safe_load((REPOSITORY / "params.yaml").read_text(encoding="utf-8"))["corpora"]["sample"]
    project.set("corpora.own", sample | CORPUS)
    project.set("run.corpora", ["own"])
    return project


@pytest.fixture
def run_here(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run a stage's module in this process; what it says when it ends in an error, else nothing."""

    def run(stage: ModuleType, **options: object) -> str:
        monkeypatch.setattr(sys, "argv", [stage.__name__, *(f"--{key}={value}" for key, value in options.items())])
        try:
            command.run(stage.main)
        except SystemExit as end:
            assert end.code.startswith("error: ")
            assert "\n" not in end.code
            return end.code
        return ""

    return run
