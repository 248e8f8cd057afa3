"""The plain recurrence, h' = tanh(W x + U h + b) (Elman 1990, https://doi.org/10.1207/s15516709cog1402_1)."""

import torch
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from stages.models.cells import Recurrence
from stages.models.products import linear, tanh_, weight_gradient


class Steps(Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx,
        inputs: torch.Tensor,
        weight_ih: torch.Tensor,
        weight_hh: torch.Tensor,
        bias_ih: torch.Tensor,
        bias_hh: torch.Tensor,
    ) -> torch.Tensor:
        states = linear(inputs.flatten(0, 1), weight_ih, bias_ih + bias_hh)  # (T·B, H), of the inputs so far
        states = states.unflatten(0, inputs.shape[:2])  # (T, B, H)
        for time, hidden in enumerate(states):
            if time:
                hidden.add_(linear(states[time - 1], weight_hh))
            tanh_(hidden)
        ctx.save_for_backward(inputs, weight_ih, weight_hh, states)
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, of_states: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        inputs, weight_ih, weight_hh, states = ctx.saved_tensors
        of_sums = torch.empty_like(states)  # gradients of what tanh is taken of
        of_hidden = torch.zeros_like(states[0])
        for time in reversed(range(len(states))):
            of_hidden.add_(of_states[time])
            torch.mul(of_hidden, 1 - states[time].square(), out=of_sums[time])
            of_hidden = linear(of_sums[time], weight_hh.t())
        flat = of_sums.flatten(0, 1)  # (T·B, H)
        of_inputs = linear(flat, weight_ih.t()).view_as(inputs) if ctx.needs_input_grad[0] else None
        of_weight_hh = weight_gradient(of_sums[1:].flatten(0, 1), states[:-1].flatten(0, 1))
        of_bias = flat.sum(dim=0)
        return of_inputs, weight_gradient(flat, inputs.flatten(0, 1)), of_weight_hh, of_bias, of_bias


class RNN(Recurrence):
    gates = 1
    steps = Steps
