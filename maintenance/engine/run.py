"""DVC's own run of a pipeline, but stages that do not need each other run at the same time.

DVC's books stay in this process: it decides what has changed, takes what its cache has and records what has run.
"""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import networkx
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.repo.reproduce import collect_stages, get_active_graph, plan_repro
from dvc.stage import PipelineStage, Stage
from dvc.stage.cache import RunCacheNotFoundError
from dvc.stage.run import _enforce_cmd_list, _make_cmd, get_executable, prepare_kwargs

from maintenance.engine.commands import Commands
from maintenance.engine.display import Display
from maintenance.engine.durations import Durations
from maintenance.engine.marks import Marks
from maintenance.engine.records import Records
from maintenance.engine.signals import Signals

TICK = 0.2  # seconds between two looks for a signal
FAULTS = (DvcException, OSError, sqlite3.Error)  # of one stage: the others need not end as well


class Run:
    def __init__(self, repo: Repo, targets: list[str], jobs: int, held: TextIO):
        self.repo, self.jobs = repo, jobs
        self.graph = get_active_graph(repo.index.graph)
        self.plan = plan_repro(self.graph, collect_stages(repo, targets))
        self.logs = Path(repo.root_dir) / "logs"
        self.records, self.durations = Records(repo, self.plan), Durations(self.logs / "seconds.json")
        self.chains = self.durations.chains(self.graph, self.plan)
        longest_first = sorted(self.plan, key=self.chain, reverse=True)
        self.waits_for = {stage: set(self.graph.successors(stage)) for stage in longest_first}
        self.changed: list[Stage] = []  # and all that they wait for is done
        self.running: dict[str, Stage] = {}
        self.failed: dict[str, str] = {}  # and why
        self.marks = Marks(repo)
        self.display = Display(len(self.plan), self.seconds_left)
        self.commands = Commands(held)

    def run(self, keep_going: bool, signals: Signals) -> None:
        """Until all is done, has failed or a signal comes; then all that has ended well is in dvc.lock."""
        try:
            with signals.breaking_off(), self.display:
                self.loop(keep_going, signals)
                self.stop()
        finally:
            self.commands.stop()
            if self.repo.lock.is_locked:  # or another command of DVC has it, and went on too long
                self.write()
            self.marks.clear()
            self.commands.join()
        if not (self.waits_for or self.changed or self.failed or signals.received):
            self.records.finish()

    def loop(self, keep_going: bool, signals: Signals) -> None:
        while not signals.received:
            goes_on = keep_going or not self.failed
            ready = next((stage for stage, others in self.waits_for.items() if not others), None)
            changed = max(self.changed, key=self.chain, default=None)
            first = changed and not (ready and self.chain(ready) > self.chain(changed))
            if ended := self.commands.ended(0):
                self.finish(*ended)
            elif goes_on and first and len(self.running) < self.jobs:
                self.attempt(self.start, changed)
            elif goes_on and ready:
                self.attempt(self.check, ready)
            elif self.records.due:
                self.write()
            elif self.running:
                self.wait(signals)
            else:
                break

    def chain(self, stage: Stage) -> float:
        return self.chains[stage.addressing]

    def attempt(self, action: Callable[[Stage], None], stage: Stage) -> None:
        try:
            action(stage)
        except FAULTS as error:
            self.fail(stage, sentence(error))
            self.marks.set(self.running.values())

    def check(self, stage: Stage) -> None:
        del self.waits_for[stage]
        if stage.frozen or not stage.cmd:
            self.take(stage)
        elif stage.changed():
            self.changed.append(stage)
        else:
            self.done(stage, "unchanged")

    def take(self, stage: Stage) -> None:
        """What has no command, or whose command is not to run: its outs are taken as they are, or fetched."""
        if stage.frozen and not stage.is_import:
            self.display.say(f"{stage.addressing} is frozen: what it depends on is not looked at")
        taken = stage.reproduce()
        if taken and isinstance(stage, PipelineStage):
            self.records.add(stage)
        elif taken:
            stage.dump(update_pipeline=False)
        self.done(stage, "taken" if taken else "unchanged")

    def start(self, stage: Stage) -> None:
        """Take a stage's outs from DVC's cache, or start its command."""
        self.changed.remove(stage)
        stage.remove_outs()
        try:
            self.repo.stage_cache.restore(stage)
        except RunCacheNotFoundError:
            stage.save_deps()
            self.marks.set([*self.running.values(), stage])
            prepared = prepare_kwargs(stage)
            environment = prepared["env"] | {"PYTHONUNBUFFERED": "1"}  # or the log comes late
            calls = [_make_cmd(get_executable(), call) for call in _enforce_cmd_list(stage.cmd)]
            self.commands.start(stage.addressing, calls, self.log(stage), prepared["cwd"], environment)
            self.running[stage.addressing] = stage
            self.display.start(stage.addressing)
        else:
            self.record(stage)
            self.done(stage, "from the cache")

    def wait(self, signals: Signals) -> None:
        """Until a command ends; other DVC commands may read meanwhile."""
        self.repo.lock.unlock()
        ended = None
        try:
            while not (ended or signals.received or self.records.due):
                ended = self.commands.ended(TICK)
        finally:
            self.repo.lock.lock()
        if ended:
            self.finish(*ended)

    def finish(self, name: str, status: int, seconds: float) -> None:
        stage = self.running.pop(name)
        self.marks.set(self.running.values())
        if status:
            return self.fail(stage, f"exit status {status}", self.log(stage))
        try:
            self.record(stage)
        except FAULTS as error:
            return self.fail(stage, sentence(error))
        self.durations.add(name, seconds)
        self.done(stage, "done")

    def record(self, stage: Stage) -> None:
        """As DVC's `Stage.run` does, but for dvc.lock."""
        uncached = any(not (out.use_cache or out.is_metric or out.is_plot) for out in stage.outs)
        stage.save(run_cache=not uncached)
        stage.commit()
        self.records.add(stage)

    def done(self, stage: Stage, how: str) -> None:
        for others in self.waits_for.values():
            others.discard(stage)
        self.display.count(stage.addressing, how)

    def fail(self, stage: Stage, reason: str, log: Path | None = None) -> None:
        self.failed[stage.addressing] = f"{reason}; its output is in {log}" if log else reason
        self.display.fail(stage.addressing, self.failed[stage.addressing], log)
        for other in networkx.ancestors(self.graph, stage):  # what depends on it
            if self.waits_for.pop(other, None) is not None:
                self.display.count(other.addressing, "skipped")

    def stop(self) -> None:
        """End the commands that are still at work, and record what has ended well."""
        self.commands.stop()
        while ended := self.commands.ended(0):
            self.finish(*ended)

    def write(self) -> None:
        if self.records.unwritten:
            self.records.write()
            self.durations.write()

    def log(self, stage: Stage) -> Path:
        self.logs.mkdir(exist_ok=True)
        return Path(os.path.relpath(self.logs / f"{stage.addressing.replace(os.sep, '-')}.log"))

    def seconds_left(self) -> float:
        waiting = [stage.addressing for stage in [*self.waits_for, *self.changed]]
        return self.durations.left(self.chains, waiting, self.display.spent(), self.jobs)


def sentence(error: BaseException) -> str:
    """What DVC or the system says, with its causes, in one line."""
    said = []
    while error:
        said += [" ".join(str(error).split())]
        error = error.__cause__
    return ": ".join(filter(None, said))
