"""The recurrences, written by hand: no nn.RNN, nn.LSTM or nn.GRU, nor their cells.

Parameters have torch's names, shapes and gate order, so that weights can be copied either way. States
depend on the past alone, so padding behind a sequence never reaches a state that is used.
"""

import torch
import torch.nn.functional as F
from torch import nn


class Recurrence(nn.Module):
    """One layer read forward in time, (B, T, E) → states (B, T, H), from a state of zeros."""

    gates: int

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__()
        self.hidden_size = hidden_size
        self.weight_ih = nn.Parameter(torch.empty(self.gates * hidden_size, input_size))
        self.weight_hh = nn.Parameter(torch.empty(self.gates * hidden_size, hidden_size))
        self.bias_ih = nn.Parameter(torch.zeros(self.gates * hidden_size))
        self.bias_hh = nn.Parameter(torch.zeros(self.gates * hidden_size))
        for of_input, of_state in zip(self.weight_ih.chunk(self.gates), self.weight_hh.chunk(self.gates), strict=True):
            nn.init.xavier_uniform_(of_input)
            nn.init.orthogonal_(of_state)  # https://arxiv.org/abs/1312.6120

    def input_steps(self, inputs: torch.Tensor, bias: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The input's share of every step in one matrix product: T tensors (B, gates·H)."""
        # Indexing steps inside a loop instead would make autograd build a gradient of full size for each.
        return F.linear(inputs.transpose(0, 1), self.weight_ih, bias).unbind(0)  # of (T, B, gates·H)


class RNN(Recurrence):
    """h' = tanh(W x + U h + b) (Elman 1990, https://doi.org/10.1207/s15516709cog1402_1)."""

    gates = 1

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        hidden, states = inputs.new_zeros(inputs.size(0), self.hidden_size), []  # (B, H)
        for step in self.input_steps(inputs, self.bias_ih + self.bias_hh):
            hidden = torch.tanh(torch.addmm(step, hidden, self.weight_hh.T))
            states.append(hidden)
        return torch.stack(states, dim=1)  # (B, T, H)


class LSTM(Recurrence):
    """Gates i, f, g, o; c' = f·c + i·g; h' = o·tanh(c') (https://doi.org/10.1162/neco.1997.9.8.1735)."""

    gates = 4

    def __init__(self, input_size: int, hidden_size: int, forget_bias: float = 1.0):
        super().__init__(input_size, hidden_size)
        # Remember before having learned what to forget: https://proceedings.mlr.press/v37/jozefowicz15.html
        nn.init.constant_(self.bias_ih[hidden_size : 2 * hidden_size], forget_bias)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        hidden, states = inputs.new_zeros(inputs.size(0), self.hidden_size), []  # (B, H)
        cell = hidden
        for step in self.input_steps(inputs, self.bias_ih + self.bias_hh):
            i, f, g, o = torch.addmm(step, hidden, self.weight_hh.T).chunk(4, dim=1)  # (B, 4·H) → 4 × (B, H)
            cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
            hidden = torch.sigmoid(o) * torch.tanh(cell)
            states.append(hidden)
        return torch.stack(states, dim=1)  # (B, T, H)


class GRU(Recurrence):
    """Gates r, z, n; n = tanh(W x + r·(U h + b)); h' = (1−z)·n + z·h (https://arxiv.org/abs/1406.1078)."""

    gates = 3

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        hidden, states = inputs.new_zeros(inputs.size(0), self.hidden_size), []  # (B, H)
        for step in self.input_steps(inputs, self.bias_ih):
            x_r, x_z, x_n = step.chunk(3, dim=1)  # (B, 3·H) → 3 × (B, H)
            h_r, h_z, h_n = torch.addmm(self.bias_hh, hidden, self.weight_hh.T).chunk(3, dim=1)
            n = torch.tanh(x_n + torch.sigmoid(x_r + h_r) * h_n)
            hidden = n + torch.sigmoid(x_z + h_z) * (hidden - n)
            states.append(hidden)
        return torch.stack(states, dim=1)  # (B, T, H)
