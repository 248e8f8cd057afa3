"""What DVC records in dvc.lock, of many stages at once: after each of them, DVC reads and writes all of it."""

import shutil
import time
from collections import defaultdict
from pathlib import Path

from dvc.repo import Repo
from dvc.stage import Stage
from dvc.stage.serialize import to_lockfile
from dvc.utils.serialize import modify_yaml

from stages.common.files import new_file, read_json, write_json

PAUSE = 60.0  # seconds between two writings, each of which takes seconds


class Records:
    """Entries that are not in dvc.lock yet, or in the dvc.lock of another folder."""

    def __init__(self, repo: Repo, plan: list[Stage]):
        """plan: all stages of this run, in the order in which DVC would run them."""
        self.repo, self.plan = repo, [stage for stage in plan if stage.cmd]
        self.unwritten: dict[Path, list[Stage]] = defaultdict(list)
        self.written = time.monotonic()
        # DVC adds new entries at the end, in its own order of running, and so does this, whatever ends first. After a
        # run that stopped halfway, the entries that it added are among the new ones still.
        self.unfinished = Path(repo.tmp_dir) / "engine.json"
        self.before: dict[str, list[str]] = read_json(self.unfinished)  # the entries that are not new, by dvc.lock

    def add(self, stage: Stage) -> None:
        self.unwritten[lock_file(stage)].append(stage)

    @property
    def due(self) -> bool:
        return bool(self.unwritten) and time.monotonic() - self.written > PAUSE

    def write(self) -> None:
        for path, stages in self.unwritten.items():
            self.write_lock(path, stages)
        self.unwritten.clear()
        self.written = time.monotonic()

    def write_lock(self, path: Path, stages: list[Stage]) -> None:
        """As DVC's `Lockfile.dump_stages`, but whole or not at all, and new entries in the plan's order."""
        with new_file(path) as temporary:
            if path.is_file():
                shutil.copy(path, temporary)
            with modify_yaml(temporary) as lock:
                lock.setdefault("schema", "2.0")
                entries = lock.setdefault("stages", {})
                before = set(self.before.setdefault(str(path), list(entries)))
                for stage in stages:
                    entries.update(to_lockfile(stage))
                for stage in self.plan:
                    if lock_file(stage) == path and stage.name in entries and stage.name not in before:
                        entries[stage.name] = entries.pop(stage.name)
            write_json(self.unfinished, self.before)
        self.repo.scm_context.track_file(str(path))

    def finish(self) -> None:
        """All that was to be run is recorded."""
        self.unfinished.unlink(missing_ok=True)


def lock_file(stage: Stage) -> Path:
    return Path(stage.path).with_suffix(".lock")
