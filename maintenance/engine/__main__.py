"""`dvc repro`, but stages that do not need each other run at the same time: `make repro` runs it.

JOBS says how many; each stage's output goes to logs/<stage>.log.
"""

import argparse
import fcntl
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import psutil  # as DVC does
from dvc.exceptions import DvcException
from dvc.repo import Repo, lock_repo

from maintenance.engine.jobs import number_of_jobs
from maintenance.engine.run import Run, sentence
from maintenance.engine.signals import Signals
from stages.common import command
from stages.common.command import InputError

PATIENCE = 6.0  # seconds for which commands of a killed run may take to end
DAMAGED_LOCK = "`git checkout dvc.lock`, or remove it: what had run comes out of DVC's cache"


@contextmanager
def alone(path: Path) -> Iterator[TextIO]:
    """Hold a file that one run at a time can hold; what is started with it holds it too."""
    with path.open("a+") as file:
        until = time.monotonic() + PATIENCE
        while not held(file):
            file.seek(0)
            other = file.read()
            if (other and psutil.pid_exists(int(other))) or time.monotonic() > until:
                raise InputError(
                    f"another `make repro`, process {other}, is at work here; wait for it to end, or stop it"
                )
            time.sleep(0.1)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield file


def held(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def calm_dvc() -> None:
    """Only DVC's warnings are shown, on stderr as it is at that moment, and no progress bars."""
    for name in ("dvc", "dvc_objects", "dvc_data"):
        logging.getLogger(name).handlers.clear()
    logging.getLogger("dvc.progress").setLevel(logging.CRITICAL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", default="", help="how many stages run at once; as many as there are cores for them")
    parser.add_argument("--keep-going", action="store_true", help="run what does not depend on a stage that failed")
    parser.add_argument("targets", nargs="*", default=["dvc.yaml"], help="as `dvc repro` takes them")
    arguments = parser.parse_args()
    jobs, signals = number_of_jobs(arguments.jobs), Signals()
    calm_dvc()
    try:
        with (
            Repo(_wait_for_lock=True) as repo,
            alone(Path(repo.tmp_dir) / "engine.lock") as held,
            lock_repo(repo),
            repo.scm_context(),
        ):
            run = Run(repo, arguments.targets, jobs, held)
            run.run(arguments.keep_going, signals)
    except DvcException as error:
        said = sentence(error)
        raise InputError(f"{said}; {DAMAGED_LOCK}" if "dvc.lock'" in said else said) from None
    print(run.display.summary())
    if signals.received:
        print("stopped; what is done is recorded, and `make repro` goes on from there", file=sys.stderr)
        sys.exit(128 + signals.received)
    if run.failed:
        raise InputError("; ".join(f"failed to reproduce {name!r}: {why}" for name, why in run.failed.items()))


if __name__ == "__main__":
    command.run(main)
