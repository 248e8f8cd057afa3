"""What DVC adds to the stages of a training on SST-2, and to a pipeline with nothing to do."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from dvc.repo import Repo

from benchmarks import data
from benchmarks.project_copies import COPIED, checkout, fault, measuring, read_measured, write_params
from benchmarks.timing import Row, ratio, seconds
from stages.common.command import InputError

TARGET = "evaluate_pooled@sst2-average"
EPOCHS = 4
WORK = f"dvc repro {TARGET}, one seed, at most {EPOCHS} epochs"
NOTHING = "dvc repro, nothing to do"
PAIRS = 3


def repro(folder: Path, *arguments: str, programs: str = "") -> None:
    """Run `dvc repro` in a folder; `programs` is a folder to put first on the path.

    Raises:
        InputError: a stage failed; the sentence is the stage's.
    """
    found = os.pathsep.join([programs, str(Path(sys.executable).parent), os.environ["PATH"]]).lstrip(os.pathsep)
    command = [sys.executable, "-m", "dvc", "repro", *arguments]
    done = subprocess.run(command, cwd=folder, env={**os.environ, "PATH": found}, capture_output=True)
    if done.returncode:
        raise fault(done.stderr)


def select_average(params: dict) -> None:
    """Select the cheapest model on SST-2 alone, for which DVC's share is the highest."""
    models = {kind: ["average"] if kind == "pooled" else [] for kind in params["run"]["models"]}
    params["run"] |= {"corpora": ["sst2"], "models": models}
    params["run"]["seeds"] = [1]
    params["corpora"]["sst2"]["unlabelled_texts"] = []
    params["corpora"]["sst2"]["training"]["epochs"] = EPOCHS


def work() -> Row:
    """The time of `dvc repro` over the sum of its stages', which a program called `python` measures."""
    folder, programs, times = checkout("work"), data.FOLDER / "programs", data.FOLDER / "stages.jsonl"
    write_params(folder, select_average)
    programs.mkdir()
    (programs / "python").write_text(f'#!/bin/sh\nexec {shlex.join([*measuring(times), sys.executable])} "$@"\n')
    (programs / "python").chmod(0o755)
    whole = seconds(lambda: repro(folder, TARGET, programs=str(programs)))
    inside = [stage["seconds"] for stage in read_measured(times)]
    note = f"{len(inside)} stages of {sum(inside):.0f} s, and {whole - sum(inside):.1f} s of DVC's"
    return Row(WORK, "the stages alone", whole / sum(inside), 1.05, note)


def up_to_date(folder: Path) -> Callable[[], None]:
    """Prepare a pipeline with nothing to do: outs are placeholders of a few bytes that `dvc commit` accepts."""
    index = Repo(folder).index
    for dependency in [*index.outs, *index.deps]:
        path = Path(dependency.fs_path)
        if not path.exists():
            placeholder = path if path.suffix else path / "file"
            placeholder.parent.mkdir(parents=True, exist_ok=True)
            placeholder.write_text(f"{path.name}\n", encoding="utf-8")
    subprocess.run([sys.executable, "-m", "dvc", "commit", "--force"], cwd=folder, check=True, capture_output=True)
    return lambda: repro(folder)


def nothing_to_do() -> Row:
    """The pipeline of params.yaml with its dvc.lock, against one of a single stage."""
    folder, empty = checkout("up_to_date", (*COPIED, "dvc.lock")), checkout("empty", (".dvc/config",))
    stage = {"cmd": "true", "deps": ["input"], "outs": ["output"]}
    (empty / "dvc.yaml").write_text(json.dumps({"stages": {"nothing": stage}}), encoding="utf-8")
    (empty / "input").touch()
    ours, theirs = up_to_date(folder), up_to_date(empty)
    stages = len(list(Repo(folder).index.stages))
    return Row(NOTHING, "DVC on one stage", ratio(ours, theirs, PAIRS), 1.3, f"{stages} stages, outs of a few bytes")


def rows() -> Iterator[Row]:
    try:
        yield work()
    except InputError as error:
        yield Row(WORK, "the stages alone", None, 1.05, str(error))
    yield nothing_to_do()
