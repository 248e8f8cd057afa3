"""A function of tensors recorded as a CUDA graph."""

import gc
from collections.abc import Callable
from contextlib import suppress
from functools import cache

import torch

Tensors = tuple[torch.Tensor, ...]


@cache
def side_stream(stream: torch.cuda.Stream) -> tuple[torch.cuda.Stream, tuple[int, int]]:
    """The stream that records what is replayed on another, and the memory pool that its graphs share.

    They can share it since they run one after the other, on that other stream.
    """
    return torch.cuda.Stream(stream.device), torch.cuda.graph_pool_handle()


class Recording:
    """A function for inputs of one shape, which are copied to where the graph reads them; outputs are copies too.

    So neither weights that change nor a later call reach what autograd keeps of an earlier one.
    """

    def __init__(self, function: Callable[..., Tensors], inputs: Tensors):
        # Tensors made in inference mode could not be written outside of it.
        with torch.inference_mode(False), torch.no_grad():
            self.inputs = tuple(torch.empty(each.shape, dtype=each.dtype, device=each.device) for each in inputs)
            self.fill(inputs)
            self.replay, self.outputs = self.record(function)
        own = {
            each.untyped_storage().data_ptr(): each.untyped_storage().nbytes() for each in self.inputs + self.outputs
        }
        self.bytes = sum(own.values())

    def record(self, function: Callable[..., Tensors]) -> tuple[Callable[[], None], Tensors]:
        current = torch.cuda.current_stream()
        side, pool = side_stream(current)
        side.wait_stream(current)
        with torch.cuda.stream(side):
            function(*self.inputs)  # compiles kernels and takes cuBLAS's workspace, neither of which a graph may do
            side.synchronize()
            graph = torch.cuda.CUDAGraph()
            collects = gc.isenabled()
            gc.disable()  # it could free another graph, which no stream may do while recording
            graph.capture_begin(pool=pool, capture_error_mode="thread_local")  # other threads may use the GPU
            try:
                outputs = function(*self.inputs)
                graph.capture_end()
            except BaseException:
                with suppress(RuntimeError):  # of the capture that the error spoiled
                    graph.capture_end()
                raise
            finally:
                if collects:
                    gc.enable()
        current.wait_stream(side)
        return graph.replay, outputs

    def fill(self, inputs: Tensors) -> None:
        for own, given in zip(self.inputs, inputs, strict=True):
            own.copy_(given)

    def __call__(self, *inputs: torch.Tensor) -> Tensors:
        with torch.no_grad():
            self.fill(inputs)
            self.replay()
            copies = {id(output): output.clone() for output in self.outputs}
        return tuple(copies[id(output)] for output in self.outputs)
