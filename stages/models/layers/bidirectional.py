"""Reading a sequence in both directions (Schuster & Paliwal 1997, https://doi.org/10.1109/78.650093)."""

import torch
from torch import nn

from stages.models.layers.recurrent.recurrence import Recurrence


class Bidirectional(nn.Module):
    """Two recurrences over the same inputs, (B, T, E) and lengths (B,) → (B, T, 2·H).

    The first H features of a state depend on its word and those before it, the other H on its word and those after
    it. Neither recurrence reads padding.
    """

    def __init__(self, forward_recurrence: Recurrence, backward_recurrence: Recurrence):
        super().__init__()
        self.forward_recurrence = forward_recurrence
        self.backward_recurrence = backward_recurrence

    def forward(self, inputs: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        forward_states = self.forward_recurrence(inputs)  # (B, T, H)
        backward_states = self.backward_recurrence(reverse_within_lengths(inputs, lengths))
        return torch.cat([forward_states, reverse_within_lengths(backward_states, lengths)], dim=2)  # (B, T, 2·H)


def reverse_within_lengths(sequences: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Each (T, E) of (B, T, E) with its first `length` steps in reverse order; padding stays where it is."""
    time = torch.arange(sequences.size(1), device=sequences.device)  # (T,)
    lengths = lengths[:, None]  # (B, 1)
    order = torch.where(time < lengths, lengths - 1 - time, time)  # (B, T)
    return sequences.gather(1, order[:, :, None].expand_as(sequences))
