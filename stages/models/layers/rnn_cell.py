"""The plain recurrence, forward and backward: the next state is h' = tanh(W x + U h + b).

Elman 1990, https://doi.org/10.1207/s15516709cog1402_1
"""

import torch

from stages.models.layers.recurrent.matrix_products import linear, tanh_
from stages.models.layers.recurrent.recurrence import Recurrence


class RNN(Recurrence):
    gates = 1

    @staticmethod
    def forward_steps(sums: torch.Tensor, weight_hh: torch.Tensor, bias_hh: torch.Tensor) -> tuple[torch.Tensor, ...]:
        states = sums
        for time, hidden in enumerate(states):
            hidden.add_(linear(states[time - 1], weight_hh, bias_hh) if time else bias_hh)
            tanh_(hidden)
        return (states,)

    @staticmethod
    def backward_steps(
        grad_states: torch.Tensor, weight_hh: torch.Tensor, states: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        grad_sums = torch.empty_like(states)
        grad_hidden = torch.zeros_like(states[0])
        for time in reversed(range(len(states))):
            grad_hidden.add_(grad_states[time])
            torch.mul(grad_hidden, 1 - states[time].square(), out=grad_sums[time])
            grad_hidden = linear(grad_sums[time], weight_hh.t())
        return grad_sums, grad_sums
