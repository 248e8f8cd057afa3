"""Two ways to do the same, timed in turns, so that a machine that slows down for a while slows both."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A row of the table. A ratio above 1 means that ours takes longer; `aim` is the highest ratio wanted."""

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
    """The median, over pairs of calls, of our time over theirs; an extra first pair only warms up."""
    ratios = [seconds(ours) / seconds(theirs) for _ in range(pairs + 1)]
    return statistics.median(ratios[1:])
