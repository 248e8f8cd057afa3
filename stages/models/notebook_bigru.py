"""Notebook N's network: two layers of GRUs in both directions on the last layer of a frozen BERT, final states.

Cho et al. 2014, https://arxiv.org/abs/1406.1078, and Devlin et al. 2019, https://aclanthology.org/N19-1423
"""

import torch
from torch import nn

from stages.models.layers.bidirectional import Bidirectional
from stages.models.layers.gru_cell import GRU
from stages.models.layers.pooling import Final


class Classifier(nn.Module):
    """Features → BiGRU → dropout → BiGRU → final state of each direction → dropout → logits.

    Two logits and a softmax replace the notebook's single logit and sigmoid. Padding is not read, unlike there.
    """

    def __init__(self, feature_size: int, states: int, classes: int, *, hidden_size: int, dropout: float):
        super().__init__()
        width = states * feature_size
        self.dropout = nn.Dropout(dropout)
        self.lower = Bidirectional(GRU(width, hidden_size), GRU(width, hidden_size))
        self.upper = Bidirectional(GRU(2 * hidden_size, hidden_size), GRU(2 * hidden_size, hidden_size))
        self.pooling = Final(2 * hidden_size)
        self.output = nn.Linear(2 * hidden_size, classes)

    def forward(self, features: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        states = self.dropout(self.lower(features.float(), lengths))  # (B, T, S·E) → (B, T, 2·H)
        states = self.upper(states, lengths)  # → (B, T, 2·H)
        pooled = self.dropout(self.pooling(states, lengths))  # → (B, 2·H)
        return self.output(pooled)  # → (B, C)
