"""Kill a step at random points and restart it until it ends well."""

import random
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from tests.faults.case import Case
from tests.faults.outcomes import contents, kept, lost, whole_outs
from tests.faults.processes import Command

CHAIN = 4  # kills at most before a step may end
BROKEN_OFF = 0.4  # share of the connections, while steps are killed


def kill_anywhere(case: Case, kills: int, generator: random.Random, signals: Iterator[signal.Signals]) -> list[str]:
    """Kill a step so many times and print a line for each; returns differences from a clean run, and lost work."""
    done, faults = 0, []
    case.host.broken_off = BROKEN_OFF
    while done < kills:
        with case.copy() as folder, ExitStack() as stack:
            victim = Victim(case, folder, stack)
            most = min(generator.randint(1, CHAIN), kills - done)
            last = None
            while victim.kills < most and last is None:
                last = victim.start_and_kill(generator, signals)
            faults += victim.faults + case.finish(folder, victim.runs, last)
            if not victim.outlived:
                faults += case.fetched_again()
            done += victim.kills
    case.host.broken_off = 0.0
    return faults


class Victim:
    """A step that is started in its folder and killed repeatedly."""

    def __init__(self, case: Case, folder: Path, stack: ExitStack):
        self.case, self.folder, self.stack = case, folder, stack
        self.runs: list[Command] = []  # the killed ones
        self.safe: dict[str, int] = {}  # what the next start can continue from
        self.faults: list[str] = []
        self.outlived = False  # a stage outlived its DVC; it may finish a download that is then begun again

    @property
    def kills(self) -> int:
        return len(self.runs)

    def start_and_kill(self, generator: random.Random, signals: Iterator[signal.Signals]) -> Command | None:
        """Start the step and kill it at a random point; returns it if it ended by itself instead."""
        run = self.stack.enter_context(self.case.start(self.folder))
        if run.ends_within(generator.random() * self.case.seconds):
            if not self.runs:  # the clean run was slower, on a busier machine
                self.case.seconds = run.seconds
            return run
        which, seconds = next(signals), run.seconds
        # Ctrl-C reaches all processes of a terminal; other signals may reach only `dvc`, and its stage continues.
        alone = self.case.step.runs_dvc and which != signal.SIGINT and generator.random() < 0.5
        if not run.kill(which, alone=alone):
            return run
        self.runs.append(run)
        self.outlived |= alone or (self.case.step.runs_dvc and which == signal.SIGKILL)
        resumed = "resumed" if self.safe else "new"
        print(
            f"{self.case.step.name:32} {which.name:7} after {seconds:4.1f} of {self.case.seconds:4.1f} s  {resumed:7}  "
            + ("its stage may continue" if alone else self.look(run)),
            flush=True,
        )
        return None

    def look(self, run: Command) -> str:
        """Describe what is in the folder after a kill, and note faults."""
        run.end()
        outs = self.case.step.outs
        whole, broken = whole_outs(contents(self.folder), self.case.expected, outs)
        before, self.safe = self.safe, kept(self.folder)
        self.faults += broken
        if outs and whole == len(outs):  # the next start begins again
            self.case.host.forget()
        else:
            self.faults += lost(before, self.safe)
        found = [f"{whole} of {len(outs)} outs" if whole else "no out"] if outs else []
        return ", ".join(found + [f"{name}: {number:,}" for name, number in self.safe.items()])
