"""An LSTM over word vectors, with dropout at its input and its output, pooled over time.

Zaremba et al. 2014, https://arxiv.org/abs/1409.2329: dropout on what enters and leaves the LSTM, not between its steps.
"""

import torch
from torch import nn

from stages.models.layers.embedding import StartsOnVectors, WordEmbedding
from stages.models.layers.lstm_cell import LSTM
from stages.models.layers.pooling import POOLINGS


class Classifier(StartsOnVectors):
    """Words → dropout → LSTM → pooling over time → dropout → logits."""

    def __init__(
        self,
        vocabulary_size: int,
        classes: int,
        *,
        embedding_size: int,
        hidden_size: int,
        word_dropout: float,
        input_dropout: float,
        output_dropout: float,
        pooling: str,
    ):
        super().__init__()
        self.embedding = WordEmbedding(vocabulary_size, embedding_size, word_dropout)
        self.input_dropout = nn.Dropout(input_dropout)
        self.recurrence = LSTM(embedding_size, hidden_size)
        self.pooling = POOLINGS[pooling](hidden_size)
        self.output_dropout = nn.Dropout(output_dropout)
        self.output = nn.Linear(hidden_size, classes)

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        words = self.input_dropout(self.embedding(ids))  # (B, T) → (B, T, E)
        states = self.recurrence(words)  # → (B, T, H)
        pooled = self.output_dropout(self.pooling(states, lengths))  # → (B, H)
        return self.output(pooled)  # → (B, C)
