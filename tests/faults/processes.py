"""Commands that can be killed or limited in the size of their files."""

import os
import resource
import signal
import subprocess
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil  # as DVC does

from tests.commands import start

LIMIT = 1800  # seconds; no command here takes so long, however busy the machine is
VARIABLES = {"DEVICE": "cpu", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def at_work(folder: Path) -> list[psutil.Process]:
    """Processes that work in a folder, also stages of a killed `make repro`, which are in other process groups."""
    return [process for process in psutil.process_iter(["cwd"]) if process.info["cwd"] == str(folder.resolve())]


class Command:
    """A command in a new process group. The end of the `with` block kills every process that works in its folder."""

    def __init__(self, command: list[str], folder: Path, largest_file: int | None = None):
        limits = (largest_file, largest_file)
        self.folder = folder
        self.said = ""  # on stderr, known after `end`
        self.over = False
        self.started = time.monotonic()
        self.process = start(
            folder,
            *command,
            variables=VARIABLES,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=partial(resource.setrlimit, resource.RLIMIT_FSIZE, limits) if largest_file else None,
        )

    def __enter__(self) -> "Command":
        return self

    def __exit__(self, *_: object) -> None:
        if not self.over:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            for process in at_work(self.folder):
                process.kill()
            self.end()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def ends_within(self, seconds: float) -> bool:
        try:
            self.process.wait(max(0.0, seconds - self.seconds))
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self, which: signal.Signals, *, alone: bool) -> bool:
        """Send a signal to the whole group, or only to what `make` has started; returns whether the command failed."""
        if alone:
            for child in psutil.Process(self.process.pid).children():
                child.send_signal(which)
        else:
            os.killpg(self.process.pid, which)
        return self.process.wait(LIMIT) != 0

    def end(self) -> int:
        """Wait for the command and all processes in its folder; returns the command's exit status."""
        self.said = self.process.communicate(timeout=LIMIT)[1].strip()
        psutil.wait_procs(at_work(self.folder), timeout=LIMIT)
        self.over = True
        return self.process.returncode
