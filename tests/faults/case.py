"""One step of the pipeline, with what a clean run of it takes and writes: seconds and bytes."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from stages.corpus import sources
from tests.faults.host import CHUNK, Host
from tests.faults.outcomes import contents, differences
from tests.faults.processes import Command
from tests.faults.project import Step

ATTEMPTS = 5  # to end well although connections break, a stage outlives its `dvc` or DVC's files are damaged
OTHERS_LINES = ("ERROR: ", "WARNING: ", "make: ")  # DVC's and make's
LOCK = "dvc.lock"
RWLOCK = ".dvc/tmp/rwlock"
UNREADABLE = {  # what DVC says of its files that it cannot read
    "dvc.lock', YAML file structure is corrupted": LOCK,
    "dvc.lock' validation failed": LOCK,
    "Unable to read RWLock-file": RWLOCK,
}
IN_FLIGHT = 16 * CHUNK  # bytes that a host has sent and a killed process has not yet read


class Case:
    """A step, a folder in which it has not run yet, and what it writes there if nothing stops it."""

    def __init__(self, step: Step, before: Path, host: Host):
        self.step, self.before, self.host = step, before, host
        self.repaired = 0  # how often DVC could not read a file of its own

    def run_cleanly(self, folder: Path) -> None:
        """Run the step in a folder like `before` without a kill, and remember its time and outs.

        Raises:
            RuntimeError: the step fails.
        """
        there = contents(folder)
        with self.start(folder) as run:
            if run.end():
                raise RuntimeError(f"{self.step.name} fails without any kill: {run.said}")
            self.seconds = run.seconds
        self.expected = contents(folder)
        made = [folder / path for path in self.expected.keys() - there.keys()]
        self.largest = max(path.stat().st_size for path in made if path.is_file())

    @contextmanager
    def copy(self) -> Iterator[Path]:
        """A folder in which the step has not run yet."""
        with TemporaryDirectory() as name:
            self.host.forget()
            yield Path(shutil.copytree(self.before, Path(name) / "project"))

    def start(self, folder: Path, largest_file: int | None = None) -> Command:
        """Start the step as DVC does, after removing its outs."""
        for out in self.step.outs:
            path = folder / out
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        return Command(self.step.command, folder, largest_file)

    def finish(self, folder: Path, earlier: Iterable[Command] = (), last: Command | None = None) -> list[str]:
        """Start the step, after its last command if there is one, until it ends well; returns the faults.

        earlier: killed commands; processes that they started may still run.
        """
        faults = []
        for run in chain([last] if last else [], (self.start(folder) for _ in range(ATTEMPTS))):
            with run:
                status = run.end()
            for other in earlier:
                other.end()
            if status == 0:
                return faults + differences(contents(folder), self.expected)
            if self.repair(folder, run):
                continue
            print(f"  a restart failed: {run.said}", flush=True)
            faults += self.bad_ending(run)
        return [*faults, "no restart ends well"]

    def repair(self, folder: Path, run: Command) -> bool:
        """Remove a file that DVC could not read; with git, a person would restore git's dvc.lock."""
        record = next((path for said, path in UNREADABLE.items() if said in run.said), None)
        if record:
            (folder / record).unlink()
            self.repaired += 1
            print(f"  {record} was damaged and is removed", flush=True)
        return record is not None

    def bad_ending(self, run: Command) -> list[str]:
        """A fault if a step that failed by itself did not say why in one sentence."""
        lines = [line for line in run.said.splitlines() if not line.startswith(OTHERS_LINES)]
        return [] if len(lines) == 1 and lines[0].startswith("error: ") else [f"it failed with: {run.said}"]

    def fetched_again(self) -> list[str]:
        """A fault if a download fetched more again than it can have lost."""
        too_far = self.host.given_up > sources.BLOCK + IN_FLIGHT
        return [f"{self.host.given_up:,} bytes were fetched again"] if too_far else []
