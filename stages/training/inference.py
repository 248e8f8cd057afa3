"""A model's logits for rows of any lengths."""

import numpy as np
import torch
from torch import nn

from stages.training.accelerator.transfer import made_ahead, moved, pinned
from stages.training.sequences import Sequences, evaluation_batches


@torch.inference_mode()
def predict(model: nn.Module, rows: Sequences, device: torch.device) -> torch.Tensor:
    """Logits (N, C) in the order of the rows, on the CPU."""
    model.eval()
    batches = list(evaluation_batches(rows.lengths, device))
    logits = []
    for tensors in made_ahead(lambda batch: pinned(rows.padded(batch), device), batches, device):
        tokens, lengths, _ = moved(tensors, device)
        logits.append(model(tokens, lengths))
    return torch.cat(logits).cpu()[torch.from_numpy(np.argsort(np.concatenate(batches)))]
