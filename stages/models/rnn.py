"""K3.2: the hand-written RNN, each sentence trained against its own label (the notebook mixed them up)."""

import torch
from torch import nn

from stages.models.layers.embedding import WordEmbedding
from stages.models.layers.pooling import POOLINGS
from stages.models.layers.rnn_cell import RNN


class Classifier(nn.Module):
    """Words → RNN → pooling over time → logits."""

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
        self.recurrence = RNN(embedding_size, hidden_size)
        self.pooling = POOLINGS[pooling](hidden_size)
        self.output = nn.Linear(hidden_size, classes)

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        words = self.embedding(ids)  # (B, T) → (B, T, E)
        states = self.recurrence(words)  # → (B, T, H)
        pooled = self.pooling(states, lengths)  # → (B, H)
        return self.output(pooled)  # → (B, C)
