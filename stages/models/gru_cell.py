"""The GRU: gates r, z, n; n = tanh(W x + r·(U h + b)); h' = (1−z)·n + z·h (https://arxiv.org/abs/1406.1078)."""

import torch
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from stages.models.cells import Recurrence
from stages.models.products import linear, tanh_, weight_gradient

sigmoid_backward, tanh_backward = torch.ops.aten.sigmoid_backward, torch.ops.aten.tanh_backward


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
        gates = linear(inputs.flatten(0, 1), weight_ih, bias_ih)  # (T·B, 3·H), of the inputs so far
        gates = gates.unflatten(0, inputs.shape[:2])  # (T, B, 3·H)
        states = gates.new_empty(*inputs.shape[:2], weight_hh.size(1))  # (T, B, H)
        recalled = torch.empty_like(states)  # what n takes of the state before, U h + b
        hidden = torch.zeros_like(states[0])  # (B, H)
        for time, all_gates in enumerate(gates):
            of_state = linear(hidden, weight_hh, bias_hh)  # (B, 3·H)
            size = 2 * hidden.size(1)
            r, z = all_gates[:, :size].add_(of_state[:, :size]).sigmoid_().chunk(2, dim=1)
            recalled[time] = of_state[:, size:]
            n = tanh_(all_gates[:, size:].addcmul_(r, recalled[time]))
            hidden = torch.lerp(n, hidden, z, out=states[time])
        ctx.save_for_backward(inputs, weight_ih, weight_hh, gates, recalled, states)
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, of_states: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        inputs, weight_ih, weight_hh, gates, recalled, states = ctx.saved_tensors
        of_inputs_sums = torch.empty_like(gates)  # gradients of the inputs' share of what the gates are squashed from
        of_state_sums = torch.empty_like(gates)  # and of the state's share, which differs in n
        of_hidden, nothing = torch.zeros_like(states[0]), torch.zeros_like(states[0])
        size = 2 * nothing.size(1)
        for time in reversed(range(len(states))):
            r, z, n = gates[time].chunk(3, dim=1)
            of_r, of_z, of_n = of_inputs_sums[time].chunk(3, dim=1)
            before = states[time - 1] if time else nothing
            of_hidden.add_(of_states[time])
            torch.mul(of_hidden, before - n, out=of_z)
            torch.mul(of_hidden, 1 - z, out=of_n)
            tanh_backward.grad_input(of_n, n, grad_input=of_n)
            torch.mul(of_n, recalled[time], out=of_r)
            for of_gate, gate in ((of_r, r), (of_z, z)):
                sigmoid_backward.grad_input(of_gate, gate, grad_input=of_gate)
            of_state_sums[time, :, :size] = of_inputs_sums[time, :, :size]
            torch.mul(of_n, r, out=of_state_sums[time, :, size:])
            of_hidden = linear(of_state_sums[time], weight_hh.t()).addcmul_(of_hidden, z)
        flat, flat_of_state = of_inputs_sums.flatten(0, 1), of_state_sums.flatten(0, 1)  # (T·B, 3·H)
        of_inputs = linear(flat, weight_ih.t()).view_as(inputs) if ctx.needs_input_grad[0] else None
        of_weight_hh = weight_gradient(of_state_sums[1:].flatten(0, 1), states[:-1].flatten(0, 1))
        of_weight_ih = weight_gradient(flat, inputs.flatten(0, 1))
        return of_inputs, of_weight_ih, of_weight_hh, flat.sum(dim=0), flat_of_state.sum(dim=0)


class GRU(Recurrence):
    gates = 3
    steps = Steps
