"""A deep averaging network: a layer on every word vector, and the mean over the words of a text.

Iyyer et al. 2015, https://aclanthology.org/P15-1162; there the layers come after the mean.
"""

import torch
from torch import nn

from stages.models.layers.embedding import StartsOnVectors, WordEmbedding
from stages.models.layers.pooling import Mean


class Classifier(StartsOnVectors):
    """Words → dropout → linear, ReLU → mean over time → dropout → logits."""

    def __init__(
        self,
        vocabulary_size: int,
        classes: int,
        *,
        embedding_size: int,
        hidden_size: int,
        word_dropout: float,
        dropout: float,
    ):
        super().__init__()
        self.embedding = WordEmbedding(vocabulary_size, embedding_size, word_dropout)
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(embedding_size, hidden_size)
        self.pooling = Mean(hidden_size)
        self.output = nn.Linear(hidden_size, classes)

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        words = self.dropout(self.embedding(ids))  # (B, T) → (B, T, E)
        hidden = torch.relu(self.hidden(words))  # → (B, T, H)
        pooled = self.dropout(self.pooling(hidden, lengths))  # → (B, H)
        return self.output(pooled)  # → (B, C)
