"""Notebook N's way to read reviews: eager attention in fp32, a batch padded to its longest row and no mask."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from transformers import BertModel

from stages.training.sequences import Sequences


def reading(folder: Path, rows: Sequences, device: torch.device) -> Callable[[], torch.Tensor]:
    """All rows in one batch, up to the last hidden state, (B, T, E); the batch lies on the device beforehand."""
    encoder = BertModel.from_pretrained(
        folder, add_pooling_layer=False, attn_implementation="eager", dtype=torch.float32
    )
    encoder.to(device).eval()
    ids, _, _ = rows.batch(np.arange(len(rows)), device)

    @torch.no_grad()
    def read() -> torch.Tensor:
        return encoder(ids)[0]

    return read
