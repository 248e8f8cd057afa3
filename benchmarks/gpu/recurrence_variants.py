"""The recurrences' ways on a GPU against cuDNN, forward and backward."""

import json
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import torch
from torch import nn

from benchmarks.recurrences import CELLS, SHAPES
from stages.models.layers import cells
from stages.models.layers.cuda.graphs import graphed

CUDNN, CUDNN_FP32 = "cuDNN", "cuDNN fp32"
# Those that could hang or break the GPU's context come last. "TF32": products outside of cuDNN may be rounded too.
OURS = ("graph", "python", "python graph", "triton", "graph TF32", "persistent", "persistent TF32", "persistent deep")
VARIANTS = (CUDNN, CUDNN_FP32, *OURS)
WARM_UPS, RUNS = 5, 20


def steps(variant: str, cell: type[cells.Recurrence]) -> object:
    """What has a variant's `read` and `derive` of a cell."""
    if variant == "python":
        return cell
    from stages.models.layers.cuda.variants import VARIANTS as TRITON
    from stages.models.layers.cuda.variants import Variant

    if variant == "python graph":
        return PYTHON_GRAPHS.setdefault(cell, Variant(graphed(cell.read), graphed(cell.derive)))
    return TRITON[variant.removesuffix(" TF32")][cell.__name__]


PYTHON_GRAPHS: dict = {}


@contextmanager
def precision(cudnn: bool, products: bool) -> Iterator[None]:
    """Which products may be rounded to TF32; torch's default is cuDNN's alone."""
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = cudnn, products
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before


class Case:
    """One cell and shape: the same weights for ours and torch's, and the results in float64."""

    def __init__(self, number: int, shape: tuple[int, ...], device: torch.device):
        torch.manual_seed(1)
        time, batch, size, hidden = shape
        self.cell, reference = CELLS[number]
        self.ours = self.cell(size, hidden).to(device)
        self.theirs = reference(size, hidden, batch_first=True).to(device)
        self.theirs.load_state_dict({f"{name}_l0": value for name, value in self.ours.state_dict().items()})
        self.inputs = torch.randn(batch, time, size, device=device, requires_grad=True)
        self.of_states = torch.randn(batch, time, hidden, device=device) / (batch * time) ** 0.5
        exact = reference(size, hidden, batch_first=True).to(device).double()
        exact.load_state_dict(self.theirs.state_dict())
        inputs = self.inputs.detach().double().requires_grad_()
        self.expected = results(exact, inputs, self.of_states.double())

    def run(self, variant: str) -> tuple[torch.Tensor, ...]:
        return results(self.theirs if variant in (CUDNN, CUDNN_FP32) else self.ours, self.inputs, self.of_states)

    def error(self, variant: str) -> float:
        """The largest difference of a state or a gradient, as a share of the largest one's size in its tensor."""
        pairs = list(zip(self.run(variant), self.expected, strict=True))
        assert all(bool(found.isfinite().all()) for found, _ in pairs), "a result is not finite"
        return max(((found - exact).abs().max() / exact.abs().max()).item() for found, exact in pairs)


def results(model: nn.Module, inputs: torch.Tensor, of_states: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The states, and the gradients of the inputs and of the weights in their order."""
    states = model(inputs)
    states = states[0] if isinstance(states, tuple) else states
    return states.detach(), *torch.autograd.grad(states, [inputs, *model.parameters()], of_states)


def milliseconds(case: Case, variant: str) -> float:
    times = []
    for run in range(WARM_UPS + RUNS):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda.synchronize()
        start.record()
        case.run(variant)
        end.record()
        end.synchronize()
        if run >= WARM_UPS:
            times.append(start.elapsed_time(end))
    return statistics.median(times)


def measure(device: torch.device | str = "cuda", variants: tuple[str, ...] = VARIANTS) -> Iterator[dict]:
    """One row for each variant, cell and shape: the error with TF32 off where it can be, then the time."""
    device = torch.device(device)
    cases = {(number, shape): Case(number, shape, device) for number in range(len(CELLS)) for shape in SHAPES}
    of_cudnn: dict[tuple, dict[str, float]] = {key: {} for key in cases}
    for variant in variants:
        for key, case in cases.items():
            row = {"cell": case.cell.__name__, "shape": key[1], "variant": variant}
            tf32 = variant.endswith("TF32")
            try:
                chosen = None if variant in (CUDNN, CUDNN_FP32) else steps(variant, case.cell)
                with mock.patch.object(cells, "steps_of", lambda *_, chosen=chosen: chosen):
                    with precision(cudnn=variant == CUDNN, products=tf32):
                        row["max_error"] = case.error(variant)
                    with precision(cudnn=variant != CUDNN_FP32, products=tf32):
                        row["milliseconds"] = milliseconds(case, variant)
                of_cudnn[key] |= {variant: row["milliseconds"]} if chosen is None else {}
                for name, against in (("ratio_to_cudnn", CUDNN), ("ratio_to_cudnn_fp32", CUDNN_FP32)):
                    of_theirs = of_cudnn[key].get(against)
                    row[name] = row["milliseconds"] / of_theirs if of_theirs else None
            except Exception as error:
                row["error"] = f"{type(error).__name__}: {error}"[:500]
            yield row


if __name__ == "__main__":
    for row in measure():
        print(json.dumps(row), flush=True)
