"""Word vectors that come from elsewhere, in place of those that a model would learn from nothing."""

import torch
from torch import nn


class PretrainedVectors(nn.Module):
    """Stands before the `Classifier` of a model with an `embedding` and starts it on pretrained vectors.

    With `freeze` they stay as they are; otherwise they are trained further.
    """

    def __init__(self, vocabulary_size: int, classes: int, *, freeze: bool, **architecture: float | str):
        super().__init__(vocabulary_size, classes, **architecture)
        self.embedding.weight.requires_grad_(not freeze)

    def load_pretrained(self, tensors: dict[str, torch.Tensor]) -> None:
        """Copy `vectors`, (V, E), one for each word of the vocabulary."""
        with torch.no_grad():
            self.embedding.weight.copy_(tensors["vectors"])
