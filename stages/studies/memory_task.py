"""A task of pure memory: which of four symbols came first, asked at the end of a sequence of others."""

import torch
import torch.nn.functional as F
from torch import nn

from stages.models.layers.recurrent.recurrence import Recurrence

SYMBOLS = 4  # that can come first; the symbols after them are four others


def draw(sequences: int, length: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """One-hot sequences (B, T, 2·SYMBOLS) and the symbols that came first, (B,): chance is one in four."""
    first = torch.randint(SYMBOLS, (sequences, 1), generator=generator)
    others = torch.randint(SYMBOLS, 2 * SYMBOLS, (sequences, length - 1), generator=generator)
    return F.one_hot(torch.cat([first, others], dim=1), 2 * SYMBOLS).double(), first[:, 0]


class Recaller(nn.Module):
    """Symbols → recurrence → the last state → logits of which came first."""

    def __init__(self, recurrence: Recurrence):
        super().__init__()
        self.recurrence = recurrence
        self.output = nn.Linear(recurrence.hidden_size, SYMBOLS)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.output(self.recurrence(inputs)[:, -1])  # (B, T, 2·SYMBOLS) → (B, SYMBOLS)
