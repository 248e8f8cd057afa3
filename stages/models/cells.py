"""What the recurrences share; each is written by hand, forward and backward: no nn.RNN, nn.LSTM, nn.GRU or their cells.

Parameters have torch's names, shapes and gate order, so that weights can be copied either way. States
depend on the past alone, so padding behind a sequence never reaches a state that is used. A gradient derived
by hand needs a third of the operations that autograd would record, and its weights' share is one product
over all steps.
"""

from typing import ClassVar

import torch
from torch import nn


class Recurrence(nn.Module):
    """One layer read forward in time, (B, T, E) → states (B, T, H), from a state of zeros."""

    gates: ClassVar[int]
    steps: ClassVar[type[torch.autograd.Function]]  # (T, B, E) and the four parameters → (T, B, H)

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

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        by_time = inputs.transpose(0, 1).contiguous()  # (T, B, E)
        return self.steps.apply(by_time, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh).transpose(0, 1)
