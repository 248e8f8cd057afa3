"""How notebook N encodes reviews: eager attention in fp32, batches padded to the longest row, no mask."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from transformers import BertModel

from stages.training.sequences import Sequences


def reading(folder: Path, rows: Sequences, device: torch.device) -> Callable[[], torch.Tensor]:
    """Encode all rows in one batch, to the last hidden states (B, T, E); the batch is on the device beforehand."""
    encoder = BertModel.from_pretrained(
        folder, add_pooling_layer=False, attn_implementation="eager", dtype=torch.float32
    )
    encoder.to(device).eval()
    ids, _, _ = rows.batch(np.arange(len(rows)), device)

    @torch.no_grad()
    def read() -> torch.Tensor:
        return encoder(ids)[0]

    return read
