"""A model's logits for rows of any lengths."""

import numpy as np
import torch
from torch import nn

from stages.training.sequences import Sequences, evaluation_batches


@torch.inference_mode()
def predict(model: nn.Module, rows: Sequences, device: torch.device) -> torch.Tensor:
    """Logits (N, C) in the order of the rows, on the CPU."""
    model.eval()
    order, logits = [], []
    for batch in evaluation_batches(rows.lengths):
        tokens, lengths, _ = rows.batch(batch, device)
        order.append(batch)
        logits.append(model(tokens, lengths).cpu())
    return torch.cat(logits)[torch.from_numpy(np.argsort(np.concatenate(order)))]
