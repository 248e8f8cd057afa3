"""A step beside itself: what happens when `dvc` alone was killed, its stage lives on, and `dvc repro` is run again."""

import random

from tests.faults.case import Case

EARLIEST, LATEST = 0.05, 0.3  # when the second starts, as a share of a clean run's time


def start_twice(case: Case, generator: random.Random) -> list[str]:
    """Start a step again while it is at work; what was wrong once one has ended well after the first was over."""
    with case.copy() as folder, case.start(folder) as first:
        first.ends_within(generator.uniform(EARLIEST, LATEST) * case.seconds)
        print(f"{case.step.name:32} beside itself from {first.seconds:4.1f} s on", flush=True)
        with case.start(folder) as second:
            return case.finish(folder, [first], second)
