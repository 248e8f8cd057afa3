"""A step's forward and backward pass as a CUDA graph: one launch for hundreds of kernels shorter than a launch.

https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch

Tensors = tuple[torch.Tensor, ...]


@dataclass
class StepGraph:
    """One shape's graph, where it reads its batch and where it leaves the loss."""

    graph: torch.cuda.CUDAGraph
    inputs: Tensors
    loss: torch.Tensor


class StepGraphs:
    """`add_gradients(*batch)`, which adds to the parameters' gradients and gives the loss, recorded once a shape.

    Gradients stay at the addresses that were recorded: nothing may set them to None in between.
    """

    def __init__(self, add_gradients: Callable[..., torch.Tensor], parameters: list[torch.Tensor]):
        self.add_gradients, self.parameters = add_gradients, parameters
        self.graphs: dict[tuple, StepGraph] = {}
        self.pool = torch.cuda.graph_pool_handle()  # one for all: they never run at the same time

    def __call__(self, *batch: torch.Tensor) -> torch.Tensor:
        """The loss of a batch, whose gradients take the place of those before."""
        shape = tuple(tensor.shape for tensor in batch)
        if shape not in self.graphs:
            self.graphs[shape] = self.record(batch)
        step = self.graphs[shape]
        for own, given in zip(step.inputs, batch, strict=True):
            own.copy_(given, non_blocking=True)
        step.graph.replay()
        return step.loss.clone()

    def record(self, batch: Tensors) -> StepGraph:
        device = self.parameters[0].device
        inputs = tuple(tensor.to(device, copy=True) for tensor in batch)
        random_state = torch.cuda.get_rng_state(device)  # a training that is resumed records again
        current, side = torch.cuda.current_stream(device), torch.cuda.Stream(device)
        side.wait_stream(current)
        with torch.cuda.stream(side):  # compiles kernels, and makes the gradients that there will be
            self.add_gradients(*inputs)
        current.wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        # Other threads may allocate meanwhile: one of them makes the next batches ready.
        with torch.cuda.graph(graph, pool=self.pool, capture_error_mode="thread_local"):
            torch._foreach_zero_([each.grad for each in self.parameters if each.grad is not None])
            loss = self.add_gradients(*inputs)
        torch.cuda.set_rng_state(random_state, device)
        return StepGraph(graph, inputs, loss)
