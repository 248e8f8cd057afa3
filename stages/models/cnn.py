"""Convolutions over windows of word vectors, pooled by their maximum over time.

Kim 2014, https://aclanthology.org/D14-1181
"""

import torch
import torch.nn.functional as F
from torch import nn

from stages.models.layers.embedding import StartsOnVectors, WordEmbedding
from stages.models.layers.pooling import Max


class Classifier(StartsOnVectors):
    """Words → convolutions over windows of several widths, ReLU → maximum over time → dropout → logits."""

    def __init__(
        self,
        vocabulary_size: int,
        classes: int,
        *,
        embedding_size: int,
        hidden_size: int,
        widths: list[int],
        word_dropout: float,
        dropout: float,
    ):
        super().__init__()
        self.embedding = WordEmbedding(vocabulary_size, embedding_size, word_dropout)
        self.convolutions = nn.ModuleList(nn.Conv1d(embedding_size, hidden_size, width) for width in widths)
        self.pooling = Max(hidden_size)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(len(widths) * hidden_size, classes)

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        words = self.embedding(ids).transpose(1, 2)  # (B, T) → (B, E, T)
        pooled = torch.cat([self.read(convolution, words, lengths) for convolution in self.convolutions], dim=1)
        return self.output(self.dropout(pooled))  # (B, widths·H) → (B, C)

    def read(self, convolution: nn.Conv1d, words: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """The largest response to a window that ends on a word, (B, E, T) → (B, H); before the first word are zeros."""
        windows = F.pad(words, (convolution.kernel_size[0] - 1, 0))  # → (B, E, width - 1 + T)
        responses = convolution(windows).relu().transpose(1, 2)  # → (B, T, H)
        return self.pooling(responses, lengths)  # → (B, H)
