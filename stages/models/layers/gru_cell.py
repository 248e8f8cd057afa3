"""The gated recurrent unit, forward and backward (Cho et al. 2014, https://arxiv.org/abs/1406.1078).

With the gates r = σ(W x + U h + b), z likewise, and the candidate n = tanh(W x + r·(U h + b)), the next state is
h' = (1 − z)·n + z·h. As in torch, r multiplies the product U h, not h.
"""

import torch

from stages.models.layers.recurrent.matrix_products import linear, tanh_
from stages.models.layers.recurrent.recurrence import Recurrence

sigmoid_backward, tanh_backward = torch.ops.aten.sigmoid_backward, torch.ops.aten.tanh_backward


class GRU(Recurrence):
    gates = 3

    @staticmethod
    def forward_steps(sums: torch.Tensor, weight_hh: torch.Tensor, bias_hh: torch.Tensor) -> tuple[torch.Tensor, ...]:
        gates = sums
        states = gates.new_empty(*gates.shape[:2], weight_hh.size(1))  # (T, B, H)
        recalled = torch.empty_like(states)  # U h + b of n, which r multiplies: (T, B, H)
        hidden = torch.zeros_like(states[0])  # (B, H)
        size = 2 * hidden.size(1)
        for time, all_gates in enumerate(gates):
            state_sums = linear(hidden, weight_hh, bias_hh)  # (B, 3·H)
            r, z = all_gates[:, :size].add_(state_sums[:, :size]).sigmoid_().chunk(2, dim=1)
            recalled[time] = state_sums[:, size:]
            n = tanh_(all_gates[:, size:].addcmul_(r, recalled[time]))
            hidden = torch.lerp(n, hidden, z, out=states[time])
        return states, gates, recalled

    @staticmethod
    def backward_steps(
        grad_states: torch.Tensor,
        weight_hh: torch.Tensor,
        states: torch.Tensor,
        gates: torch.Tensor,
        recalled: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        grad_sums, grad_state_sums = torch.empty_like(gates), torch.empty_like(gates)  # (T, B, 3·H); they differ in n
        grad_hidden, nothing = torch.zeros_like(states[0]), torch.zeros_like(states[0])
        size = 2 * nothing.size(1)
        for time in reversed(range(len(states))):
            r, z, n = gates[time].chunk(3, dim=1)
            grad_r, grad_z, grad_n = grad_sums[time].chunk(3, dim=1)
            before = states[time - 1] if time else nothing
            grad_hidden.add_(grad_states[time])
            torch.mul(grad_hidden, before - n, out=grad_z)
            torch.mul(grad_hidden, 1 - z, out=grad_n)
            tanh_backward.grad_input(grad_n, n, grad_input=grad_n)
            torch.mul(grad_n, recalled[time], out=grad_r)
            for grad_gate, gate in ((grad_r, r), (grad_z, z)):
                sigmoid_backward.grad_input(grad_gate, gate, grad_input=grad_gate)
            grad_state_sums[time, :, :size] = grad_sums[time, :, :size]
            torch.mul(grad_n, r, out=grad_state_sums[time, :, size:])
            grad_hidden = linear(grad_state_sums[time], weight_hh.t()).addcmul_(grad_hidden, z)
        return grad_sums, grad_state_sums
