"""Work for an accelerator made ready ahead of it, so that it never waits for the CPU."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

AHEAD = 4  # batches

Given = TypeVar("Given")
Made = TypeVar("Made")


def made_ahead(make: Callable[[Given], Made], given: Iterable[Given], device: torch.device) -> Iterator[Made]:
    """What `make` makes of each, in order: for an accelerator by a thread beside its work, on a CPU one at a time."""
    if device.type == "cpu":
        yield from map(make, given)
        return
    with ThreadPoolExecutor(max_workers=1) as thread:
        waiting: deque = deque()
        for each in given:
            waiting.append(thread.submit(make, each))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def pinned(tensors: Iterable[torch.Tensor], device: torch.device) -> tuple[torch.Tensor, ...]:
    """Copies that CUDA can fetch by itself; for other devices the tensors as they are."""
    return tuple(tensor.pin_memory() if device.type == "cuda" else tensor for tensor in tensors)


def moved(tensors: Iterable[torch.Tensor], device: torch.device) -> tuple[torch.Tensor, ...]:
    """The tensors on a device, without a wait where they are pinned."""
    return tuple(tensor.to(device, non_blocking=True) for tensor in tensors)
