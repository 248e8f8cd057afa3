"""How many stages run at the same time."""

import os
from pathlib import Path

from stages.common import params
from stages.common.command import InputError


def number_of_jobs(given: str) -> int:
    """What a person gives, or by default as many as there are cores for their threads.

    Raises:
        InputError: it is no whole number from 1 up, or run.yaml or a corpus's file is faulty.
    """
    if not given:
        return max(1, cores() // threads())
    if not given.isdecimal() or int(given) == 0:
        raise InputError(f"JOBS is {given!r}; it should be a whole number from 1 up")
    return int(given)


def cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads() -> int:
    """The most that a stage uses on a chosen corpus."""
    run = Path("run.yaml")
    chosen = params.read(run, "run_file")["run"]["corpora"] if run.is_file() else []
    return max((params.corpus(name).get("threads", 1) for name in chosen), default=1)
