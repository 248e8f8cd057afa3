"""The plain recurrence, h' = tanh(W x + U h + b) (Elman 1990, https://doi.org/10.1207/s15516709cog1402_1)."""

import torch

from stages.models.layers.cells import Recurrence
from stages.models.layers.products import linear, tanh_


class RNN(Recurrence):
    gates = 1

    @staticmethod
    def read(sums: torch.Tensor, weight_hh: torch.Tensor, bias_hh: torch.Tensor) -> tuple[torch.Tensor, ...]:
        states = sums
        for time, hidden in enumerate(states):
            hidden.add_(linear(states[time - 1], weight_hh, bias_hh) if time else bias_hh)
            tanh_(hidden)
        return (states,)

    @staticmethod
    def derive(
        of_states: torch.Tensor, weight_hh: torch.Tensor, states: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        of_sums = torch.empty_like(states)
        of_hidden = torch.zeros_like(states[0])
        for time in reversed(range(len(states))):
            of_hidden.add_(of_states[time])
            torch.mul(of_hidden, 1 - states[time].square(), out=of_sums[time])
            of_hidden = linear(of_sums[time], weight_hh.t())
        return of_sums, of_sums
