"""Two layers of GRUs in both directions, on the hidden states of a frozen BERT, pooled over time.

Cho et al. 2014, https://arxiv.org/abs/1406.1078, and Devlin et al. 2019, https://aclanthology.org/N19-1423
"""

import torch
import torch.nn.functional as F
from torch import nn

from stages.models.layers.bidirectional import Bidirectional
from stages.models.layers.gru_cell import GRU
from stages.models.layers.pooling import BIDIRECTIONAL_POOLINGS


class Classifier(nn.Module):
    """Features → BiGRU → dropout → BiGRU → pooling over time → dropout → logits.

    Several hidden states of a token are averaged with learned weights (Peters et al. 2018,
    https://aclanthology.org/N18-1202).
    """

    def __init__(
        self,
        feature_size: int,
        states: int,
        classes: int,
        *,
        hidden_size: int,
        dropout: float,
        pooling: str,
    ):
        super().__init__()
        self.sizes = states, feature_size
        self.mix = nn.Parameter(torch.zeros(states)) if states > 1 else None
        self.dropout = nn.Dropout(dropout)
        self.lower = Bidirectional(GRU(feature_size, hidden_size), GRU(feature_size, hidden_size))
        self.upper = Bidirectional(GRU(2 * hidden_size, hidden_size), GRU(2 * hidden_size, hidden_size))
        self.pooling = BIDIRECTIONAL_POOLINGS[pooling](2 * hidden_size)
        self.output = nn.Linear(2 * hidden_size, classes)

    def forward(self, features: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        words = features.float()  # (B, T, S·E)
        if self.mix is not None:
            words = torch.einsum("btse,s->bte", words.unflatten(2, self.sizes), self.mix.softmax(dim=0))  # → (B, T, E)
        words = F.layer_norm(words, words.shape[2:])
        states = self.dropout(self.lower(words, lengths))  # → (B, T, 2·H)
        states = self.upper(states, lengths)  # → (B, T, 2·H)
        pooled = self.dropout(self.pooling(states, lengths))  # → (B, 2·H)
        return self.output(pooled)  # → (B, C)
