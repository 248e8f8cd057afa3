"""A step started twice, as when only `dvc` was killed, its stage continues, and `dvc repro` runs again."""

import random

from tests.faults.case import Case

EARLIEST, LATEST = 0.05, 0.3  # start of the second, as a share of a clean run's time


def start_twice(case: Case, generator: random.Random) -> list[str]:
    """Start a step a second time while it runs; returns the faults after both have ended."""
    with case.copy() as folder, case.start(folder) as first:
        first.ends_within(generator.uniform(EARLIEST, LATEST) * case.seconds)
        print(f"{case.step.name:32} started again after {first.seconds:4.1f} s", flush=True)
        with case.start(folder) as second:
            return case.finish(folder, [first], second)
