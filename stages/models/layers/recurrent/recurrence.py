"""What the recurrences share: their parameters, and one autograd function for all steps of a sequence.

Each cell is written by hand, forward and backward, without nn.RNN, nn.LSTM, nn.GRU or their cells. Parameters have
torch's names, shapes and gate order, so that weights can be copied either way. A state depends on the words up to its
own, so padding after a sequence never reaches a state that is used. With the backward pass by hand, the gradient of
each weight is a single product over all steps.
"""

from abc import ABC, abstractmethod
from importlib.util import find_spec
from typing import ClassVar

import torch
from torch import nn
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from stages.models.layers.recurrent.matrix_products import linear, weight_gradient


class Recurrence(nn.Module, ABC):
    """One layer that reads forward in time, (B, T, E) → states (B, T, H); its first state is zero."""

    gates: ClassVar[int]  # G, how many blocks of H rows each weight has

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__()
        self.hidden_size = hidden_size
        self.weight_ih = nn.Parameter(torch.empty(self.gates * hidden_size, input_size))
        self.weight_hh = nn.Parameter(torch.empty(self.gates * hidden_size, hidden_size))
        self.bias_ih = nn.Parameter(torch.zeros(self.gates * hidden_size))
        self.bias_hh = nn.Parameter(torch.zeros(self.gates * hidden_size))
        for gate_ih, gate_hh in zip(self.weight_ih.chunk(self.gates), self.weight_hh.chunk(self.gates), strict=True):
            nn.init.xavier_uniform_(gate_ih)
            nn.init.orthogonal_(gate_hh)  # https://arxiv.org/abs/1312.6120

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        by_time = inputs.transpose(0, 1).contiguous()  # (T, B, E)
        states = Steps.apply(type(self), by_time, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return states.transpose(0, 1)  # → (B, T, H)

    @staticmethod
    @abstractmethod
    def forward_steps(sums: torch.Tensor, weight_hh: torch.Tensor, bias_hh: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The states (T, B, H), followed by what else `backward_steps` needs.

        sums: W x + b of every step and gate, (T, B, G·H), which this may overwrite.
        """

    @staticmethod
    @abstractmethod
    def backward_steps(
        grad_states: torch.Tensor, weight_hh: torch.Tensor, states: torch.Tensor, *kept: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The gradients of W x + b and of U h + b at every step, each (T, B, G·H).

        grad_states: the gradient of every state, (T, B, H); kept: what `forward_steps` returned after the states.
        """


def steps_of(cell: type[Recurrence], sums: torch.Tensor) -> "type[Recurrence] | object":
    """What computes a cell's steps: the cell itself or, on a GPU with Triton, kernels that do the same."""
    if sums.device.type != "cuda" or sums.dtype != torch.float32 or not sums.numel() or not find_spec("triton"):
        return cell
    if torch.version.cuda is None or torch.cuda.get_device_capability(sums.device) < (8, 0):
        return cell
    from stages.models.layers.recurrent.cuda.kernels import KERNELS  # Triton is not on every machine

    return KERNELS[cell.__name__]


class Steps(Function):
    """All steps of a cell as one function of autograd, which differentiates it by `backward_steps`."""

    @staticmethod
    def forward(
        ctx: FunctionCtx, cell: type[Recurrence], inputs: torch.Tensor, *parameters: torch.Tensor
    ) -> torch.Tensor:
        weight_ih, weight_hh, bias_ih, bias_hh = parameters
        sums = linear(inputs.flatten(0, 1), weight_ih, bias_ih).unflatten(0, inputs.shape[:2])  # (T, B, G·H)
        ctx.steps = steps_of(cell, sums)
        states, *kept = ctx.steps.forward_steps(sums, weight_hh, bias_hh)
        ctx.save_for_backward(inputs, weight_ih, weight_hh, states, *kept)
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad_states: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        inputs, weight_ih, weight_hh, states, *kept = ctx.saved_tensors
        grad_sums, grad_state_sums = ctx.steps.backward_steps(grad_states, weight_hh, states, *kept)
        grad_weight_hh = weight_gradient(grad_state_sums[1:].flatten(0, 1), states[:-1].flatten(0, 1))
        flat = grad_sums.flatten(0, 1)  # (T·B, G·H)
        grad_inputs = linear(flat, weight_ih.t()).view_as(inputs) if ctx.needs_input_grad[1] else None
        grad_bias_ih = flat.sum(dim=0)
        grad_bias_hh = grad_bias_ih if grad_state_sums is grad_sums else grad_state_sums.sum(dim=(0, 1))
        return (
            None,
            grad_inputs,
            weight_gradient(flat, inputs.flatten(0, 1)),
            grad_weight_hh,
            grad_bias_ih,
            grad_bias_hh,
        )
