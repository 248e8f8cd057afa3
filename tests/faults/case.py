"""One step of the pipeline, whose clean run is known: in how many seconds it ends, and in what bytes."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from stages.corpus import sources
from tests.faults.host import CHUNK, Host
from tests.faults.outcomes import contents, differences
from tests.faults.project import Step
from tests.faults.runs import Run

ATTEMPTS = 5  # at ending well, where connections break off, a stage outlives its `dvc` or a record was cut short
OTHERS_LINES = ("ERROR: ", "WARNING: ", "make: ")  # DVC's and make's
LOCK = "dvc.lock"
RWLOCK = ".dvc/tmp/rwlock"
UNREADABLE = {  # what DVC says of a record that it cannot read
    "dvc.lock', YAML file structure is corrupted": LOCK,
    "dvc.lock' validation failed": LOCK,
    "Unable to read RWLock-file": RWLOCK,
}
IN_FLIGHT = 16 * CHUNK  # bytes that a host has sent and a killed process has not yet read


class Case:
    """A step, the folder in which it has not yet run, and what it makes there when nothing stops it."""

    def __init__(self, step: Step, before: Path, host: Host):
        self.step, self.before, self.host = step, before, host
        self.mended = 0  # how often a record was cut short so that DVC could not read it

    def run_cleanly(self, folder: Path) -> None:
        """Run the step in a folder like `before`, uninterrupted, and remember how it ends.

        Raises:
            RuntimeError: it does not end well.
        """
        there = contents(folder)
        with self.start(folder) as run:
            if run.end():
                raise RuntimeError(f"{self.step.name} does not even run cleanly: {run.said}")
            self.seconds = run.seconds
        self.expected = contents(folder)
        made = [folder / path for path in self.expected.keys() - there.keys()]
        self.largest = max(path.stat().st_size for path in made if path.is_file())

    @contextmanager
    def copy(self) -> Iterator[Path]:
        """A folder in which the step has not yet run."""
        with TemporaryDirectory() as name:
            self.host.forget()
            yield Path(shutil.copytree(self.before, Path(name) / "project"))

    def start(self, folder: Path, largest_file: int | None = None) -> Run:
        """Start the step as DVC does, without what it may have made before."""
        for out in self.step.outs:
            path = folder / out
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        return Run(self.step.command, folder, largest_file)

    def finish(self, folder: Path, earlier: Iterable[Run] = (), last: Run | None = None) -> list[str]:
        """Start the step, or take its last run, until it ends well; what is not as after a clean run.

        earlier: killed runs; what they started may live on beside the new ones.
        """
        faults = []
        for run in chain([last] if last else [], (self.start(folder) for _ in range(ATTEMPTS))):
            with run:
                status = run.end()
            for other in earlier:
                other.end()
            if status == 0:
                return faults + differences(contents(folder), self.expected)
            if self.mend(folder, run):
                continue
            print(f"  a restart failed: {run.said}", flush=True)
            faults += self.bad_ending(run)
        return [*faults, "no restart ends well"]

    def mend(self, folder: Path, run: Run) -> bool:
        """Remove a record if DVC could not read it, and say so; with git, a person takes back git's dvc.lock."""
        record = next((path for said, path in UNREADABLE.items() if said in run.said), None)
        if record:
            (folder / record).unlink()
            self.mended += 1
            print(f"  {record} was cut short and is removed", flush=True)
        return record is not None

    def bad_ending(self, run: Run) -> list[str]:
        """A sentence if a run that failed by itself did not say why in one."""
        lines = [line for line in run.said.splitlines() if not line.startswith(OTHERS_LINES)]
        return [] if len(lines) == 1 and lines[0].startswith("error: ") else [f"it failed with: {run.said}"]

    def fetched_again(self) -> list[str]:
        """A sentence if a download went further back than to what it cannot have kept."""
        too_far = self.host.given_up > sources.BLOCK + IN_FLIGHT
        return [f"{self.host.given_up:,} bytes were fetched again"] if too_far else []
