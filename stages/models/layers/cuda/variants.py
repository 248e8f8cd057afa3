"""The ways in which a GPU can take a cell's steps, by name; what their `read` keeps, any `derive` understands."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch

from stages.models.layers.cuda import gru_steps, lstm_steps, persistent_cells, rnn_steps
from stages.models.layers.cuda.graphs import graphed, matmul_precision
from stages.models.layers.cuda.persistent_launch import Tuning, fits

Function = Callable[..., tuple[torch.Tensor, ...]]
STEPS = {"LSTM": lstm_steps, "GRU": gru_steps, "RNN": rnn_steps}
CHOSEN = "persistent"


class Variant(NamedTuple):
    """`read` and `derive` as a cell has them."""

    read: Function
    derive: Function


def on_pointers(function: Function) -> Function:
    """For kernels, which go by addresses: tensors without gaps, and the GPU on which they lie."""

    def run(*tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        with torch.cuda.device_of(tensors[0]):
            return function(*(tensor.contiguous() for tensor in tensors))

    return run


def persistent(cell: str, tuning: Tuning | None) -> Variant:
    """All steps in one kernel, or as a graph where the states are too many; by default TF32 only if torch may."""
    ours, graph = getattr(persistent_cells, cell), Variant(graphed(STEPS[cell].read), graphed(STEPS[cell].derive))

    def choose(name: str, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        if not fits(tensors[0], tensors[1].size(1)):
            return getattr(graph, name)(*tensors)
        chosen = tuning or Tuning("tf32" if matmul_precision() == "tf32" else "tf32x3")
        return getattr(ours, name)(*tensors, tuning=chosen)

    return Variant(*(on_pointers(partial(choose, name)) for name in Variant._fields))


VARIANTS: dict[str, dict[str, Variant]] = {
    "triton": {cell: Variant(on_pointers(steps.read), on_pointers(steps.derive)) for cell, steps in STEPS.items()},
    "graph": {
        cell: Variant(on_pointers(graphed(steps.read)), on_pointers(graphed(steps.derive)))
        for cell, steps in STEPS.items()
    },
    "persistent": {cell: persistent(cell, None) for cell in STEPS},
    "persistent deep": {cell: persistent(cell, Tuning(depth=128, warps=8, stages=1)) for cell in STEPS},
    "persistent ieee": {cell: persistent(cell, Tuning("ieee")) for cell in STEPS},
}


def chosen(cell: str) -> Variant:
    return VARIANTS[CHOSEN][cell]
