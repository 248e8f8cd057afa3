"""Resolve the conflicts of a git merge in files that the pipeline wrote; `dvc repro` then updates them.

If one branch changed an entry of dvc.lock, that entry is kept. If both changed it differently, it is dropped, so that
its stage runs again on the merged files. Until then, metrics and results stay as they were before the merge.
"""

import subprocess

import yaml
from dvc.utils.serialize import dump_yaml

from stages.common import command
from stages.common.command import InputError

LOCK = "dvc.lock"
WRITTEN = ("metrics/", "results/")
BASE, OURS, THEIRS = 1, 2, 3  # git's numbers of a conflict's sides


def git(*command: str) -> str:
    done = subprocess.run(["git", *command], capture_output=True, text=True)
    if done.returncode:
        raise InputError(f"`git {command[0]}`: {' '.join(done.stderr.split())}")
    return done.stdout


def conflicts() -> dict[str, set[int]]:
    """The files in conflict, each with the sides on which it exists."""
    sides: dict[str, set[int]] = {}
    for entry in git("ls-files", "--unmerged", "-z").split("\0")[:-1]:
        about, path = entry.split("\t", 1)
        sides.setdefault(path, set()).add(int(about.split()[2]))
    return sides


def merged_lock(sides: set[int]) -> dict:
    """The merged lock of both branches."""
    locks = {side: yaml.safe_load(git("show", f":{side}:./{LOCK}")) for side in sides}  # git's root may be above
    base, ours, theirs = (locks.get(side, {}).get("stages", {}) for side in (BASE, OURS, THEIRS))
    stages = {}
    for name in ours | theirs:
        here, there = ours.get(name), theirs.get(name)
        entry = there if here == base.get(name) else here if there in (base.get(name), here) else None
        if entry:
            stages[name] = entry
        elif here and there:
            print(f"{name}: changed on both branches, will run again")
    return locks[OURS] | {"stages": stages}


def main() -> None:
    found = conflicts()
    if not found:
        raise InputError("no file is in conflict; call this in the middle of a merge")
    for path, sides in found.items():
        if path == LOCK:
            dump_yaml(LOCK, merged_lock(sides))
        elif path.startswith(WRITTEN):
            git("checkout", "--ours" if OURS in sides else "--theirs", "--", path)
        else:
            continue
        git("add", "--", path)
    if others := [path for path in found if path != LOCK and not path.startswith(WRITTEN)]:
        raise InputError(
            f"still yours to resolve: {', '.join(others)}; then `git add` them, `make repro` and `git commit`"
        )
    print("resolved; now `make repro`, `git add metrics results dvc.lock` and `git commit`")


if __name__ == "__main__":
    command.run(main)
