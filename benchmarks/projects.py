"""Folders in which stages run apart from the repository, with their times and their memory."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import yaml

from benchmarks import data
from stages.common.command import InputError

COPIED = (
    ".dvc/config",
    ".dvcignore",
    "dvc.yaml",
    "params.yaml",
    "run.yaml",
    "corpora",
    "data/sample",
    "data/sst2",
    "stages",
)


def checkout(name: str, copied: tuple[str, ...] = COPIED) -> Path:
    """A copy of the project in which nothing is made yet; one of git's, since DVC stages what it makes."""
    folder = data.FOLDER / name
    for path in map(Path, copied):
        copy = shutil.copytree if (data.ROOT / path).is_dir() else shutil.copyfile
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        copy(data.ROOT / path, folder / path)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    return folder


def write_params(folder: Path, change: Callable[[dict], None]) -> None:
    """The repository's params.yaml, run.yaml and corpora with a change, in another folder."""
    corpora = {path.stem: path for path in (data.ROOT / "corpora").glob("*.yaml")}
    shared, run = (
        yaml.safe_load((data.ROOT / file).read_text(encoding="utf-8")) for file in ("params.yaml", "run.yaml")
    )
    params = shared | run
    params["corpora"] = {name: yaml.safe_load(path.read_text(encoding="utf-8")) for name, path in corpora.items()}
    change(params)
    (folder / "corpora").mkdir(exist_ok=True)
    contents = {f"corpora/{name}.yaml": corpus for name, corpus in params.pop("corpora").items()}
    contents |= {"run.yaml": {"run": params.pop("run")}, "params.yaml": params}
    for file, content in contents.items():
        (folder / file).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def measuring(results: Path) -> list[str]:
    """What stands before a command so that its time and memory become a line of a file."""
    return [sys.executable, "-S", "-E", str(Path(__file__).with_name("measured.py")), str(results)]


def read_measured(results: Path) -> list[dict]:
    """The commands in their order: `seconds` of wall time, and `gigabytes` at most in memory."""
    return [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]


def fault(stderr: bytes) -> InputError:
    """A stage's own sentence, or else the last line there is."""
    lines = stderr.decode().strip().splitlines()
    of_stage = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return InputError([*lines, *of_stage][-1])


def run_measured(project: Path, stage: str, output: str = os.devnull, **options: object) -> dict:
    """A stage in another folder, what it prints in a file there.

    Raises:
        InputError: the stage's own sentence.
    """
    given = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    results = project / "measured.jsonl"
    command = [*measuring(results), sys.executable, "-m", f"stages.{stage}", *given]
    environment = {**os.environ, "PYTHONPATH": str(data.ROOT)}
    with (project / output).open("wb") as file:
        done = subprocess.run(command, cwd=project, env=environment, stdout=file, stderr=subprocess.PIPE)
    if done.returncode:
        raise fault(done.stderr)
    return read_measured(results)[-1]
