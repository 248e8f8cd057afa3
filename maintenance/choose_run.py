"""Copy a file of runs/ to run.yaml: `make repro RUN=sst2`. Plain `cp` does the same."""

import re
import shutil
import sys
from pathlib import Path

from stages.common import command, params
from stages.common.command import InputError
from stages.common.files import new_file
from stages.common.suggestions import suggestion

RUNS, CHOSEN, LOCK = Path("runs"), Path("run.yaml"), Path("dvc.lock")


def others_in_lock(corpora: list[str]) -> list[str]:
    """Corpora with results in dvc.lock, except the given ones."""
    lock = LOCK.read_text(encoding="utf-8") if LOCK.is_file() else ""
    return sorted(set(re.findall(r"^  prepare@(\w+):$", lock, re.MULTILINE)) - set(corpora))


def main() -> None:
    [name] = sys.argv[1:]
    path = RUNS / f"{name}.yaml"
    if not path.is_file():
        known = sorted(file.stem for file in RUNS.glob("*.yaml"))
        raise InputError(f"there is no {path}{suggestion(name, known)}")
    corpora = params.read(path, "run_file")["run"]["corpora"]
    with new_file(CHOSEN) as temporary:
        shutil.copyfile(path, temporary)
    if others := others_in_lock(corpora):
        kept = f"what was built of {', '.join(others)} stays"
        print(f"{CHOSEN} is {path} now; {kept}, also after `make gc`, which frees disk space, not after `dvc gc -w`")


if __name__ == "__main__":
    command.run(main)
