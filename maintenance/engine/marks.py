"""What other DVC commands are told while stages run: which paths are read and which are written."""

import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from dvc.dependency.db import AbstractDependency
from dvc.dependency.repo import RepoDependency
from dvc.repo import Repo
from dvc.rwlock import RWLOCK_FILE, RWLockFileCorruptedError, _edit_rwlock, rwlock
from dvc.stage import Stage

NO_PATHS = (RepoDependency, AbstractDependency)  # these deps lie elsewhere


class Marks:
    """DVC's marks of one set of stages at a time: its own of two stages that read the same would end with the first."""

    def __init__(self, repo: Repo):
        self.repo, self.held = repo, ExitStack()
        self.hardlink = repo.config["core"].get("hardlink_lock", False)
        try:
            with _edit_rwlock(repo.tmp_dir, repo.fs, self.hardlink):
                pass
        except RWLockFileCorruptedError:  # DVC writes it in place, and a run was killed just then
            (Path(repo.tmp_dir) / RWLOCK_FILE).unlink()

    def set(self, stages: Iterable[Stage]) -> None:
        """Take the marks of these stages in place of those held.

        Raises:
            LockError: another command of DVC uses what one of them writes, or writes what one of them reads.
        """
        self.clear()
        stages = list(stages)
        reads = [dep.fs_path for stage in stages for dep in stage.deps if not isinstance(dep, NO_PATHS)]
        writes = [out.fs_path for stage in stages for out in stage.outs]
        command = " ".join(sys.argv)  # as DVC's own, which then are no others'
        self.held.enter_context(rwlock(self.repo.tmp_dir, self.repo.fs, command, reads, writes, self.hardlink))

    def clear(self) -> None:
        self.held.close()
