"""Ways to make one vector of a sequence of states. None of them reads padding."""

import torch
from torch import nn

from stages.training.padding import is_word


class First(nn.Module):
    """The state of each sequence's first piece, [CLS] or <s>, (B, T, H) → (B, H)."""

    def __init__(self, size: int):
        super().__init__()

    def forward(self, states: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        return states[:, 0]  # → (B, H)


class Last(nn.Module):
    """The state after each sequence's last word, (B, T, H) → (B, H)."""

    def __init__(self, size: int):
        super().__init__()

    def forward(self, states: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        return states[torch.arange(len(states), device=states.device), lengths - 1]  # → (B, H)


class Final(nn.Module):
    """The final states of two directions, each of which has read the whole sequence: (B, T, H) → (B, H).

    The first half of the features is the forward direction's state at the last word, the other half the backward
    direction's state at the first.
    """

    def __init__(self, size: int):
        super().__init__()
        self.last = Last(size)

    def forward(self, states: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        forward_states, backward_states = states.chunk(2, dim=2)  # 2 × (B, T, H / 2)
        return torch.cat([self.last(forward_states, lengths), backward_states[:, 0]], dim=1)


class Mean(nn.Module):
    """The mean over each sequence's words, (B, T, H) → (B, H)."""

    def __init__(self, size: int):
        super().__init__()

    def forward(self, states: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        words = is_word(lengths, states.size(1))[:, :, None]  # (B, T, 1)
        return states.masked_fill(~words, 0).sum(dim=1) / lengths[:, None]  # → (B, H)


class Max(nn.Module):
    """The largest value of each feature over each sequence's words, (B, T, H) → (B, H)."""

    def __init__(self, size: int):
        super().__init__()

    def forward(self, states: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        words = is_word(lengths, states.size(1))[:, :, None]  # (B, T, 1)
        return states.masked_fill(~words, -torch.inf).amax(dim=1)  # → (B, H)


class Attention(nn.Module):
    """A learned weighted mean over each sequence's words, (B, T, H) → (B, H) (https://aclanthology.org/N16-1174)."""

    def __init__(self, size: int):
        super().__init__()
        self.projection = nn.Linear(size, size)
        self.query = nn.Linear(size, 1, bias=False)

    def forward(self, states: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        scores = self.query(torch.tanh(self.projection(states)))  # (B, T, 1)
        words = is_word(lengths, states.size(1))[:, :, None]  # (B, T, 1)
        weights = scores.masked_fill(~words, -torch.inf).softmax(dim=1)
        return (weights * states).sum(dim=1)  # (B, T, 1) · (B, T, H) → (B, H)


WHOLE_SEQUENCE = {"mean": Mean, "max": Max, "attention": Attention}
POOLINGS = {"last": Last, **WHOLE_SEQUENCE}
BIDIRECTIONAL_POOLINGS = {"final": Final, **WHOLE_SEQUENCE}
ENCODER_POOLINGS = {"mean": Mean, "first": First}
