"""Copies of the project in which stages run, and their time and memory."""

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
    """A copy of the project without any outs; a git repository, since DVC stages what it writes."""
    folder = data.FOLDER / name
    for path in map(Path, copied):
        copy = shutil.copytree if (data.ROOT / path).is_dir() else shutil.copyfile
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        copy(data.ROOT / path, folder / path)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    return folder


def write_params(folder: Path, change: Callable[[dict], None]) -> None:
    """Write the repository's params.yaml, run.yaml and corpora into another folder, with a change."""
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
    """What to put before a command so that its time and memory become a line of a file."""
    return [sys.executable, "-S", "-E", str(Path(__file__).with_name("measure_command.py")), str(results)]


def read_measured(results: Path) -> list[dict]:
    """The measured commands in order, each with `seconds` of wall time and `gigabytes` of peak memory."""
    return [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]


def fault(stderr: bytes) -> InputError:
    """The stage's own sentence, or otherwise its last line."""
    lines = stderr.decode().strip().splitlines()
    sentences = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return InputError([*lines, *sentences][-1])


def run_measured(project: Path, stage: str, output: str = os.devnull, **options: object) -> dict:
    """Run a stage in another folder, with its standard output in a file there.

    Raises:
        InputError: the stage failed; the sentence is the stage's.
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
