"""What computes a cell's steps on a GPU: one kernel for all steps or, where the states do not fit, one a step."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch

from stages.models.layers.recurrent.cuda import gru_steps, lstm_steps, persistent_cells, rnn_steps
from stages.models.layers.recurrent.cuda.persistent_launch import Tuning, fits

Function = Callable[..., tuple[torch.Tensor, ...]]
STEPS = {"LSTM": lstm_steps, "GRU": gru_steps, "RNN": rnn_steps}


class Kernels(NamedTuple):
    """`forward_steps` and `backward_steps` as a cell has them; every backward reads what every forward keeps."""

    forward_steps: Function
    backward_steps: Function


def on_pointers(function: Function) -> Function:
    """Kernels address memory directly: call the function with contiguous tensors, on their GPU."""

    def run(*tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        with torch.cuda.device_of(tensors[0]):
            return function(*(tensor.contiguous() for tensor in tensors))

    return run


def step_by_step(cell: str) -> Kernels:
    return Kernels(on_pointers(STEPS[cell].forward_steps), on_pointers(STEPS[cell].backward_steps))


def persistent(cell: str, precision: str | None = None) -> Kernels:
    """All steps in one kernel, as precise as fp32 unless torch allows TF32 or `precision` says otherwise."""

    def choose(name: str, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        if not fits(tensors[0], tensors[1].size(1)):
            return getattr(STEPS[cell], name)(*tensors)
        allowed = "tf32" if torch.backends.cuda.matmul.fp32_precision == "tf32" else "tf32x3"
        return getattr(getattr(persistent_cells, cell), name)(*tensors, tuning=Tuning(precision or allowed))

    return Kernels(*(on_pointers(partial(choose, name)) for name in Kernels._fields))


KERNELS = {cell: persistent(cell) for cell in STEPS}
