"""`dvc repro`, but independent stages run at the same time: `make repro` runs it.

This process alone reads and writes DVC's files, and holds DVC's lock until its end, since `dvc gc` would not know the
outs of the last minute. It starts commands, the longest chain first, and records their outs.
"""

import argparse
import logging
import os
import shlex
import shutil
import signal
import sqlite3
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import networkx
from dvc.dvcfile import Lockfile
from dvc.exceptions import DvcException
from dvc.lock import LockError
from dvc.repo import Repo, lock_repo
from dvc.repo.reproduce import _reproduce_stage, collect_stages, get_active_graph, plan_repro
from dvc.stage import Stage
from dvc.stage.cache import RunCacheNotFoundError
from dvc.stage.run import _enforce_cmd_list, _make_cmd, get_executable, prepare_kwargs
from dvc.stage.serialize import to_lockfile
from dvc.utils.serialize import modify_yaml

from maintenance.progress import SECONDS, Progress, log_of
from maintenance.version_control import tell_dvc
from stages.common import command, params
from stages.common.command import InputError
from stages.common.files import new_file, read_json, write_json

PAUSE = 60.0  # seconds between two writes of dvc.lock, each of which takes seconds


def number_of_jobs(given: str) -> int:
    """The given number of stages at once, or as many as the cores have room for with their threads."""
    if given:
        if not given.isdecimal() or int(given) == 0:
            raise InputError(f"JOBS is {given!r}; it should be a whole number from 1 up")
        return int(given)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    everything = params.load()
    room = cores // max(everything["corpora"][name]["threads"] for name in everything["run"]["corpora"])
    on_gpu = Path("/dev/nvidiactl").exists() and os.environ.get("DEVICE") != "cpu"
    return max(1, min(room, 2) if on_gpu else room)  # 2: an estimate of what a card's memory holds


def start_command(stage: Stage) -> subprocess.Popen:
    """Start a stage's commands, each in its own shell as in DVC, all in one process group."""
    lines = [shlex.join(_make_cmd(get_executable(), line)) for line in _enforce_cmd_list(stage.cmd)]
    options = prepare_kwargs(stage) | {"shell": True, "start_new_session": True, "stdin": subprocess.DEVNULL}
    options["env"]["PYTHONUNBUFFERED"] = "1"  # otherwise the log is late
    log_of(stage).parent.mkdir(exist_ok=True)
    with log_of(stage).open("wb") as log:
        return subprocess.Popen(" && ".join(lines), stdout=log, stderr=log, **options)


def sentence(error: BaseException) -> str:
    """The message of an error of DVC or the system, with its causes, in one line."""
    return " ".join(str(error).split()) + (f": {sentence(error.__cause__)}" if error.__cause__ else "")


class Engine:
    def __init__(self, repo: Repo, targets: list[str], jobs: int):
        self.repo, self.jobs, self.lock = repo, jobs, Path(repo.root_dir, "dvc.lock")
        self.graph = get_active_graph(repo.index.graph)
        self.plan = plan_repro(self.graph, collect_stages(repo, targets))  # in the order in which DVC would run them
        self.progress = Progress(self.graph, self.plan, jobs)
        self.waiting = sorted(self.plan, key=self.progress.chains.get, reverse=True)  # the longest chain first
        self.running: dict[Stage, subprocess.Popen] = {}
        self.failed, self.stopped = {}, False  # why each stage failed; whether a signal came
        self.unwritten, self.written = [], time.monotonic()
        # New entries of dvc.lock are in the plan's order, whichever ends first. After a stop, its entries count as new.
        self.unfinished = Path(repo.tmp_dir, "engine.json")
        entries = Lockfile(repo, str(self.lock)).load().get("stages", {})
        self.before = read_json(self.unfinished).get("before", list(entries))

    def run(self, keep_going: bool) -> None:
        """Run until all is done or failed, or a signal comes. In the end, dvc.lock has every finished stage."""
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP
                signal.signal(number, self.stop)
        try:
            with suppress(KeyboardInterrupt), self.progress.live:
                self.loop(keep_going)
        finally:
            signal.signal(signal.SIGALRM, signal.SIG_IGN)
            for process in self.running.values():
                with suppress(ProcessLookupError, PermissionError):  # it has just ended; macOS says the latter
                    os.killpg(process.pid, signal.SIGKILL)  # stages can be killed at any time
            if self.unwritten:
                self.write()
        if not (self.waiting or self.failed or self.stopped):
            self.unfinished.unlink(missing_ok=True)

    def stop(self, *_: object) -> None:
        self.stopped = True
        signal.alarm(2)  # seconds; then what this process does is interrupted

    def loop(self, keep_going: bool) -> None:
        while True:
            ended = next((stage for stage, process in self.running.items() if process.poll() is not None), None)
            ready = next((it for it in self.waiting if self.progress.left.isdisjoint(self.graph.successors(it))), None)
            goes_on = len(self.running) < self.jobs and not self.stopped and (keep_going or not self.failed)
            if stage := ended or (goes_on and ready):
                try:
                    (self.finish if ended else self.begin)(stage)
                except (DvcException, InputError, OSError, sqlite3.Error) as error:
                    self.fail(stage, sentence(error))
            elif self.stopped or not self.running:
                break
            elif self.unwritten and time.monotonic() - self.written > PAUSE:
                self.write()
            else:
                time.sleep(0.05)

    def begin(self, stage: Stage) -> None:
        """Start a stage's command, unless nothing has changed or its outs are in DVC's cache."""
        self.waiting.remove(stage)
        if stage.frozen or not stage.cmd or Path(stage.path).with_suffix(".lock") != self.lock:  # left to DVC
            return self.progress.end(stage, "taken" if _reproduce_stage(stage) else "unchanged")
        if not stage.changed():
            return self.progress.end(stage, "unchanged")
        stage.remove_outs()
        try:
            self.repo.stage_cache.restore(stage)
        except RunCacheNotFoundError:
            stage.save_deps()
            self.running[stage] = start_command(stage)
            self.progress.start(stage)
        else:
            self.record(stage, "from the cache")

    def finish(self, stage: Stage) -> None:
        if status := self.running.pop(stage).returncode:
            raise InputError(f"exit status {status}; its output is in {log_of(stage)}")
        self.record(stage, "done")

    def record(self, stage: Stage, how: str) -> None:
        """As DVC's `Stage.run`, but without writing dvc.lock."""
        stage.save(run_cache=all(out.use_cache or out.is_metric or out.is_plot for out in stage.outs))
        stage.commit()
        self.unwritten.append(stage)
        self.progress.end(stage, how)

    def fail(self, stage: Stage, why: str) -> None:
        self.failed[stage.addressing] = why
        self.progress.end(stage, "failed", why)
        for other in networkx.ancestors(self.graph, stage).intersection(self.waiting):  # what depends on it
            self.waiting.remove(other)
            self.progress.end(other, "skipped")

    def write(self) -> None:
        """As DVC's `dump_stages`, but dvc.lock is replaced as a whole or not at all."""
        with new_file(self.lock) as temporary:
            if self.lock.is_file():
                shutil.copy(self.lock, temporary)
            with modify_yaml(temporary) as lock:
                lock.setdefault("schema", "2.0")
                entries = lock.setdefault("stages", {})
                for stage in self.unwritten:
                    entries.update(to_lockfile(stage))
                for name in [stage.name for stage in self.plan if stage.cmd]:
                    if name in entries and name not in self.before:
                        entries[name] = entries.pop(name)
            write_json(self.unfinished, {"before": self.before})
        self.repo.scm_context.track_file(str(self.lock))
        write_json(SECONDS, self.progress.seconds)
        self.unwritten, self.written = [], time.monotonic()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", default="", help="stages that run at once; without it, as many as the cores allow")
    parser.add_argument("--keep-going", action="store_true", help="also run what does not depend on a failed stage")
    parser.add_argument("targets", nargs="*", default=["dvc.yaml"], help="as `dvc repro` takes them")
    arguments = parser.parse_args()
    logging.disable(logging.INFO)  # show DVC's warnings but not its progress
    logging.getLogger("dvc.progress").setLevel(logging.CRITICAL)  # or its bars
    tell_dvc(Path())
    try:
        with Repo() as repo, lock_repo(repo), repo.scm_context():
            engine = Engine(repo, arguments.targets, number_of_jobs(arguments.jobs))
            engine.run(arguments.keep_going)
    except DvcException as error:
        busy = "another `make repro` or `dvc` is at work here; wait for it to end, or stop it"
        raise InputError(busy if isinstance(error, LockError) else sentence(error)) from None
    print(engine.progress.summary())
    if engine.stopped:
        raise InputError("stopped; finished stages are recorded, and `make repro` continues from there")
    if engine.failed:
        raise InputError("; ".join(f"failed to reproduce {name!r}: {why}" for name, why in engine.failed.items()))


if __name__ == "__main__":
    command.run(main)
