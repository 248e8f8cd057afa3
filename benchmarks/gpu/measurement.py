"""A measurement on a GPU, and how time is measured there."""

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
    reached: bool | None = None  # None without an aim
    note: str = ""


def attempted(what: str, measure: Callable[[], Iterable[Measurement]]) -> Iterator[Measurement]:
    """The measurements or, if they fail, one that says why, so that later parts are still measured."""
    try:
        yield from measure()
    except Exception as error:
        traceback.print_exc()
        yield Measurement(what, float("nan"), "", reached=False, note=f"{type(error).__name__}: {error}"[:300])


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """Wall time until the device, too, has finished the work."""
    synchronize(device)
    start = time.perf_counter()
    work()
    synchronize(device)
    return time.perf_counter() - start


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
