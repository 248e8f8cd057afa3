"""Two ways of doing the same, timed in turns, so that a machine that slows down for a while slows both."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table. A ratio above 1 means that ours takes longer; `aim` is the most it should be."""

    what: str
    against: str
    ratio: float | None  # None where this machine cannot measure it
    aim: float | None
    note: str = ""


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ratio(ours: Callable[[], object], theirs: Callable[[], object], pairs: int) -> float:
    """The median, over pairs of runs, of our time over theirs; one pair before them only warms up."""
    ratios = [seconds(ours) / seconds(theirs) for _ in range(pairs + 1)]
    return statistics.median(ratios[1:])
