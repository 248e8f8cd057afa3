"""A line of what was found on a GPU, and time measured there."""

import time
from collections.abc import Callable
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
