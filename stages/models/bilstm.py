"""Two layers of LSTMs over word vectors, each reading in both directions, pooled over time.

Graves & Schmidhuber 2005, https://doi.org/10.1016/j.neunet.2005.06.042
"""

import torch
from torch import nn

from stages.models.layers.bidirectional import Bidirectional
from stages.models.layers.embedding import StartsOnVectors, WordEmbedding
from stages.models.layers.lstm_cell import LSTM
from stages.models.layers.pooling import BIDIRECTIONAL_POOLINGS


class Classifier(StartsOnVectors):
    """Words → dropout → BiLSTM → dropout → BiLSTM → pooling over time → dropout → logits."""

    def __init__(
        self,
        vocabulary_size: int,
        classes: int,
        *,
        embedding_size: int,
        hidden_size: int,
        word_dropout: float,
        dropout: float,
        pooling: str,
    ):
        super().__init__()
        self.embedding = WordEmbedding(vocabulary_size, embedding_size, word_dropout)
        self.dropout = nn.Dropout(dropout)
        self.lower = Bidirectional(LSTM(embedding_size, hidden_size), LSTM(embedding_size, hidden_size))
        self.upper = Bidirectional(LSTM(2 * hidden_size, hidden_size), LSTM(2 * hidden_size, hidden_size))
        self.pooling = BIDIRECTIONAL_POOLINGS[pooling](2 * hidden_size)
        self.output = nn.Linear(2 * hidden_size, classes)

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        words = self.dropout(self.embedding(ids))  # (B, T) → (B, T, E)
        states = self.dropout(self.lower(words, lengths))  # → (B, T, 2·H)
        states = self.upper(states, lengths)  # → (B, T, 2·H)
        pooled = self.dropout(self.pooling(states, lengths))  # → (B, 2·H)
        return self.output(pooled)  # → (B, C)
