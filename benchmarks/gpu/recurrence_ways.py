"""Ways to compute the recurrences on a GPU, forward and backward: error against float64, and time."""

import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import torch
from torch import nn

from benchmarks.recurrences import CELLS
from stages.models.layers.recurrent import recurrence

CUDNN, CUDNN_FP32 = "cuDNN", "cuDNN fp32"  # cuDNN rounds products to TF32 by default in torch; here with it and without
OP_BY_OP, STEP_BY_STEP, PERSISTENT, PERSISTENT_TF32 = "op by op", "a kernel a step", "one kernel", "one kernel, TF32"
WAYS = (CUDNN, CUDNN_FP32, OP_BY_OP, STEP_BY_STEP, PERSISTENT, PERSISTENT_TF32)
WARM_UPS, RUNS = 5, 20


@contextmanager
def computed(way: str, cell: type[recurrence.Recurrence]) -> Iterator[None]:
    """During the block, the cell computes its steps in one of our ways."""
    if way in (CUDNN, CUDNN_FP32):
        yield
        return
    from stages.models.layers.recurrent.cuda import kernels  # Triton is not on every machine

    precision = "tf32" if way == PERSISTENT_TF32 else "tf32x3"
    ways = {OP_BY_OP: lambda _: cell, STEP_BY_STEP: kernels.step_by_step}
    chosen = ways.get(way, lambda name: kernels.persistent(name, precision))(cell.__name__)
    with mock.patch.object(recurrence, "steps_of", lambda *_: chosen):
        yield


@contextmanager
def cudnn_rounds(allowed: bool) -> Iterator[None]:
    before, torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.allow_tf32, allowed
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


class Case:
    """One cell and shape, with the same weights for ours and torch's, and the results in float64."""

    def __init__(self, number: int, shape: tuple[int, ...], device: torch.device):
        torch.manual_seed(1)
        time, batch, size, hidden = shape
        self.cell, reference = CELLS[number]
        self.ours = self.cell(size, hidden).to(device)
        self.theirs = reference(size, hidden, batch_first=True).to(device)
        self.theirs.load_state_dict({f"{name}_l0": value for name, value in self.ours.state_dict().items()})
        self.inputs = torch.randn(batch, time, size, device=device, requires_grad=True)
        self.grad_states = torch.randn(batch, time, hidden, device=device) / (batch * time) ** 0.5
        exact = reference(size, hidden, batch_first=True).to(device).double()
        exact.load_state_dict(self.theirs.state_dict())
        inputs = self.inputs.detach().double().requires_grad_()
        self.expected = results(exact, inputs, self.grad_states.double())

    def run(self, way: str) -> tuple[torch.Tensor, ...]:
        return results(self.theirs if way in (CUDNN, CUDNN_FP32) else self.ours, self.inputs, self.grad_states)

    def error(self, way: str) -> float:
        """The largest difference of a state or a gradient, as a share of the largest number in its tensor."""
        pairs = list(zip(self.run(way), self.expected, strict=True))
        return max(((found - exact).abs().max() / exact.abs().max()).item() for found, exact in pairs)


def results(model: nn.Module, inputs: torch.Tensor, grad_states: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The states, and the gradients of the inputs and of the weights, in order."""
    states = model(inputs)
    states = states[0] if isinstance(states, tuple) else states
    return states.detach(), *torch.autograd.grad(states, [inputs, *model.parameters()], grad_states)


def milliseconds(case: Case, way: str) -> float:
    times = []
    for run in range(WARM_UPS + RUNS):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda.synchronize()
        start.record()
        case.run(way)
        end.record()
        end.synchronize()
        if run >= WARM_UPS:
            times.append(start.elapsed_time(end))
    return statistics.median(times)


def measured(case: Case, way: str) -> tuple[float, float]:
    """The largest error and the time."""
    with computed(way, case.cell), cudnn_rounds(way != CUDNN_FP32):
        return case.error(way), milliseconds(case, way)
