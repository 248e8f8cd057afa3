"""A long short-term memory over word vectors, pooled over time.

Hochreiter & Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735
"""

import torch
from torch import nn

from stages.models.layers.embedding import StartsOnVectors, WordEmbedding
from stages.models.layers.lstm_cell import LSTM
from stages.models.layers.pooling import POOLINGS


class Classifier(StartsOnVectors):
    """Words → LSTM → pooling over time → logits."""

    def __init__(
        self,
        vocabulary_size: int,
        classes: int,
        *,
        embedding_size: int,
        hidden_size: int,
        word_dropout: float,
        pooling: str,
    ):
        super().__init__()
        self.embedding = WordEmbedding(vocabulary_size, embedding_size, word_dropout)
        self.recurrence = LSTM(embedding_size, hidden_size)
        self.pooling = POOLINGS[pooling](hidden_size)
        self.output = nn.Linear(hidden_size, classes)

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        words = self.embedding(ids)  # (B, T) → (B, T, E)
        states = self.recurrence(words)  # → (B, T, H)
        pooled = self.pooling(states, lengths)  # → (B, H)
        return self.output(pooled)  # → (B, C)
