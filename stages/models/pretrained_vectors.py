"""Word vectors that were trained elsewhere, instead of vectors that a model learns from random ones."""

import torch
from torch import nn


class PretrainedVectors(nn.Module):
    """A base class to name before the `Classifier` of a model with an `embedding`, which then starts on given vectors.

    freeze: keep the vectors as they are; otherwise they are trained further.
    """

    def __init__(self, vocabulary_size: int, classes: int, *, freeze: bool, **architecture: float | str):
        super().__init__(vocabulary_size, classes, **architecture)
        self.embedding.weight.requires_grad_(not freeze)

    def load_pretrained(self, tensors: dict[str, torch.Tensor]) -> None:
        """Copy `vectors`, (V, E), one for each of the V words of the vocabulary."""
        with torch.no_grad():
            self.embedding.weight.copy_(tensors["vectors"])
