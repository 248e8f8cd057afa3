"""Stages and other commands: in this process, which is fast, or as processes, where signals or environments matter."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from stages.common import command
from tests.projects import REPOSITORY

NOT_HANDED_ON = ("DATA_MIRROR", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")  # by `make test` to another project's make
TIMEOUT = 600  # seconds that no command of a test takes, however busy the machine is


def run_here(module: ModuleType, *words: str, **options: object) -> str:
    """Run a stage or another command in this process; what it says when it ends in an error, else nothing.

    `out="x"` is `--out=x`; words come behind the options.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [module.__name__, *given(words, options)])
        patch.setitem(sys.modules, "__main__", module)  # as for `python -m`; that of a worker of pytest's has no file
        try:
            command.run(module.main)
        except SystemExit as end:
            assert end.code.startswith("error: ")
            assert "\n" not in end.code
            return end.code
    return ""


def run_stages(*calls: tuple[ModuleType, dict[str, object]]) -> None:
    """Run stages in this process, one after the other, each of which has to end well."""
    for stage, options in calls:
        assert run_here(stage, **options) == ""


def stage_command(name: str, *words: str, **options: object) -> list[str]:
    """A stage with such options as a command for `run`, `ended` or `start`."""
    return [sys.executable, "-m", f"stages.{name}", *given(words, options)]


def given(words: tuple[str, ...], options: dict[str, object]) -> list[str]:
    return [*(f"--{key}={value}" for key, value in options.items()), *words]


def environment(**variables: str) -> dict[str, str]:
    """Of a command: this interpreter's programs and the repository's modules, names for git, and the variables."""
    inherited = {key: value for key, value in os.environ.items() if key not in NOT_HANDED_ON}
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    names = {f"GIT_{who}_{what}": "a@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return inherited | names | {"PATH": programs, "PYTHONPATH": str(REPOSITORY), "NO_PROXY": "*"} | variables


def start(
    folder: Path, *command: str, variables: dict[str, str] | None = None, **options: object
) -> subprocess.Popen[str]:
    """A command at work in a folder; the options are Popen's. What it prints can be read, as text."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=folder, env=environment(**variables or {}), **streams | options)


def ended(folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command's end, whatever its exit status is, and what it printed."""
    settings = {"cwd": folder, "env": environment(**variables), "timeout": TIMEOUT}
    return subprocess.run(command, capture_output=True, text=True, **settings)


def run(folder: Path, *command: str, **variables: str) -> str:
    """Run a command that has to end well; what it printed on standard output."""
    done = ended(folder, *command, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
