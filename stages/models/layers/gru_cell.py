"""The GRU: gates r, z, n; n = tanh(W x + r·(U h + b)); h' = (1−z)·n + z·h (https://arxiv.org/abs/1406.1078)."""

import torch

from stages.models.layers.cells import Recurrence
from stages.models.layers.products import linear, tanh_

sigmoid_backward, tanh_backward = torch.ops.aten.sigmoid_backward, torch.ops.aten.tanh_backward


class GRU(Recurrence):
    gates = 3

    @staticmethod
    def read(sums: torch.Tensor, weight_hh: torch.Tensor, bias_hh: torch.Tensor) -> tuple[torch.Tensor, ...]:
        gates = sums
        states = gates.new_empty(*gates.shape[:2], weight_hh.size(1))  # (T, B, H)
        recalled = torch.empty_like(states)  # what n takes of the state before, U h + b
        hidden = torch.zeros_like(states[0])  # (B, H)
        size = 2 * hidden.size(1)
        for time, all_gates in enumerate(gates):
            of_state = linear(hidden, weight_hh, bias_hh)  # (B, 3·H)
            r, z = all_gates[:, :size].add_(of_state[:, :size]).sigmoid_().chunk(2, dim=1)
            recalled[time] = of_state[:, size:]
            n = tanh_(all_gates[:, size:].addcmul_(r, recalled[time]))
            hidden = torch.lerp(n, hidden, z, out=states[time])
        return states, gates, recalled

    @staticmethod
    def derive(
        of_states: torch.Tensor,
        weight_hh: torch.Tensor,
        states: torch.Tensor,
        gates: torch.Tensor,
        recalled: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        of_sums, of_state_sums = torch.empty_like(gates), torch.empty_like(gates)  # they differ in n
        of_hidden, nothing = torch.zeros_like(states[0]), torch.zeros_like(states[0])
        size = 2 * nothing.size(1)
        for time in reversed(range(len(states))):
            r, z, n = gates[time].chunk(3, dim=1)
            of_r, of_z, of_n = of_sums[time].chunk(3, dim=1)
            before = states[time - 1] if time else nothing
            of_hidden.add_(of_states[time])
            torch.mul(of_hidden, before - n, out=of_z)
            torch.mul(of_hidden, 1 - z, out=of_n)
            tanh_backward.grad_input(of_n, n, grad_input=of_n)
            torch.mul(of_n, recalled[time], out=of_r)
            for of_gate, gate in ((of_r, r), (of_z, z)):
                sigmoid_backward.grad_input(of_gate, gate, grad_input=of_gate)
            of_state_sums[time, :, :size] = of_sums[time, :, :size]
            torch.mul(of_n, r, out=of_state_sums[time, :, size:])
            of_hidden = linear(of_state_sums[time], weight_hh.t()).addcmul_(of_hidden, z)
        return of_sums, of_state_sums
