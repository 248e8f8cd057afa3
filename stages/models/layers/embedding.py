"""Word vectors that a model trains, with word dropout; they begin at random or as given ones."""

import torch
from torch import nn

from stages.training.inputs import PADDING, UNKNOWN


class WordEmbedding(nn.Embedding):
    """A table of vectors, (B, T) ids → (B, T, E); padding is a vector of zeros.

    While training, each word becomes the unknown word with probability `word_dropout`, so that the model learns not to
    depend on single words, and the unknown word's vector is trained in real contexts
    (Iyyer et al. 2015, https://aclanthology.org/P15-1162).
    """

    def __init__(self, vocabulary_size: int, embedding_size: int, word_dropout: float):
        super().__init__(vocabulary_size, embedding_size, padding_idx=PADDING)
        nn.init.uniform_(self.weight, -0.1, 0.1)
        nn.init.zeros_(self.weight[PADDING])
        self.word_dropout = word_dropout

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        if self.training and self.word_dropout:
            dropped = (torch.rand(ids.shape, device=ids.device) < self.word_dropout) & (ids != PADDING)
            ids = ids.masked_fill(dropped, UNKNOWN)
        return super().forward(ids)


class StartsOnVectors(nn.Module):
    """A base class of models with an `embedding`, which may start on given vectors instead of random ones."""

    def load_pretrained(self, tensors: dict[str, torch.Tensor]) -> None:
        """Copy `vectors`, (V, E), one for each of the V words of the vocabulary."""
        with torch.no_grad():
            self.embedding.weight.copy_(tensors["vectors"])
