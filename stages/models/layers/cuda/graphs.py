"""Functions of tensors as CUDA graphs: one launch for all their kernels, recorded once for each shape."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import cache

import torch

from stages.models.layers.cuda.recording import Recording

Tensors = tuple[torch.Tensor, ...]
BOUND = 2**31  # bytes that all recordings' tensors may take; the ones unused for longest go first


class Graphs:
    """The recordings of any functions, on one stream. A function is run as it is where memory does not suffice."""

    def __init__(self, record: Callable[..., Recording] = Recording, bound: int = BOUND):
        self.record, self.bound = record, bound
        self.recordings: OrderedDict[tuple, Recording] = OrderedDict()
        self.lock = threading.RLock()  # another thread must not fill the inputs before the outputs are copied

    def run(self, function: Callable[..., Tensors], *inputs: torch.Tensor) -> Tensors:
        """function(*inputs), in tensors that nothing else refers to; it may overwrite its inputs, here it does not."""
        key = (function, matmul_precision(), *((tensor.shape, tensor.dtype, tensor.device) for tensor in inputs))
        with self.lock:
            if key not in self.recordings:
                try:
                    self.add(key, function, inputs)
                except torch.OutOfMemoryError:
                    self.recordings.clear()
                    return function(*inputs)
            self.recordings.move_to_end(key)
            return self.recordings[key](*inputs)

    def add(self, key: tuple, function: Callable[..., Tensors], inputs: Tensors) -> None:
        recording = self.record(function, inputs)
        self.recordings[key] = recording
        while sum(each.bytes for each in self.recordings.values()) > self.bound and len(self.recordings) > 1:
            self.recordings.popitem(last=False)


def matmul_precision() -> str:
    """Whether products may be rounded to TF32: a graph keeps the kernels that were chosen when it was recorded."""
    return torch.backends.cuda.matmul.fp32_precision


@cache
def graphs_of(stream: torch.cuda.Stream) -> Graphs:
    return Graphs()


def graphed(function: Callable[..., Tensors]) -> Callable[..., Tensors]:
    """The same function, replayed as a graph where it is not itself being recorded."""

    def replay(*inputs: torch.Tensor) -> Tensors:
        with torch.cuda.device(inputs[0].device):
            if torch.cuda.is_current_stream_capturing():
                return function(*inputs)
            return graphs_of(torch.cuda.current_stream()).run(function, *inputs)

    return replay
