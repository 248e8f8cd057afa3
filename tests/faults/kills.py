"""A step killed at random points of its time, and restarted until it ends well."""

import random
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from tests.faults.case import Case
from tests.faults.outcomes import contents, kept, lost, whole_outs
from tests.faults.runs import Run

CHAIN = 4  # kills at most before a run may end
BROKEN_OFF = 0.4  # of the connections, while steps are killed


def kill_anywhere(case: Case, kills: int, generator: random.Random, signals: Iterator[signal.Signals]) -> list[str]:
    """Kill a step so many times and print a line for each; what was not as after a clean run, or was lost."""
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
    """A step that is started in its folder and killed, again and again."""

    def __init__(self, case: Case, folder: Path, stack: ExitStack):
        self.case, self.folder, self.stack = case, folder, stack
        self.runs: list[Run] = []  # that were killed
        self.safe: dict[str, int] = {}  # what there was to go on from
        self.faults: list[str] = []
        self.outlived = False  # by a stage: it may end a download that its DVC no longer knows of, and begins anew

    @property
    def kills(self) -> int:
        return len(self.runs)

    def start_and_kill(self, generator: random.Random, signals: Iterator[signal.Signals]) -> Run | None:
        """Kill a new run at a random point; the run, if it ended by itself before that or in spite of it."""
        run = self.stack.enter_context(self.case.start(self.folder))
        if run.ends_within(generator.random() * self.case.seconds):
            if not self.runs:  # the machine was busier during the clean run
                self.case.seconds = run.seconds
            return run
        which, seconds = next(signals), run.seconds
        # Ctrl-C reaches all that runs in a terminal; another signal may reach `dvc` alone, and its stage lives on.
        alone = self.case.step.runs_dvc and which != signal.SIGINT and generator.random() < 0.5
        if not run.kill(which, alone=alone):
            return run
        self.runs.append(run)
        self.outlived |= alone or (self.case.step.runs_dvc and which == signal.SIGKILL)
        resumed = "resumed" if self.safe else "new"
        print(
            f"{self.case.step.name:32} {which.name:7} after {seconds:4.1f} of {self.case.seconds:4.1f} s  {resumed:7}  "
            + ("its stage may live on" if alone else self.look(run)),
            flush=True,
        )
        return None

    def look(self, run: Run) -> str:
        """What lies in the folder after a kill, in words; what should not is noted."""
        run.end()
        outs = self.case.step.outs
        whole, broken = whole_outs(contents(self.folder), self.case.expected, outs)
        before, self.safe = self.safe, kept(self.folder)
        self.faults += broken
        if outs and whole == len(outs):  # the next run begins anew
            self.case.host.forget()
        else:
            self.faults += lost(before, self.safe)
        found = [f"{whole} of {len(outs)} outs" if whole else "no out"] if outs else []
        return ", ".join(found + [f"{name}: {number:,}" for name, number in self.safe.items()])
