"""Which steps of a padded batch are words."""

import torch


def is_word(lengths: torch.Tensor, time: int) -> torch.Tensor:
    """(B,) lengths → (B, T) booleans, false on padding."""
    return torch.arange(time, device=lengths.device) < lengths[:, None]
