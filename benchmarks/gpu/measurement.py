"""A line of what was found on a GPU, and time measured there."""

import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Measurement:
    what: str
    value: float
    unit: str
    aim: str = ""
    reached: bool | None = None  # None where nothing is aimed at
    note: str = ""


def attempted(what: str, measure: Callable[[], Iterable[Measurement]]) -> Iterator[Measurement]:
    """What is measured or, where that fails, a line that says why: what follows may still be measured."""
    try:
        yield from measure()
    except Exception as error:
        traceback.print_exc()
        yield Measurement(what, float("nan"), "", reached=False, note=f"{type(error).__name__}: {error}"[:300])


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """Wall time until the work is done on the device too."""
    synchronize(device)
    start = time.perf_counter()
    work()
    synchronize(device)
    return time.perf_counter() - start


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
