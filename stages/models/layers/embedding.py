"""Word vectors that a model learns for itself, with word dropout."""

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
