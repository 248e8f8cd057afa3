"""Self-attention over words, in its quadratic form and in one whose time is linear in the length."""

from collections.abc import Callable

import torch
from torch import nn

from stages.models.layers.embedding import StartsOnVectors, WordEmbedding
from stages.models.layers.pooling import POOLINGS
from stages.training.padding import is_word


def softmax_attention(
    queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, words: torch.Tensor
) -> torch.Tensor:
    """Σ_j softmax_j(q_i·k_j / √E) v_j over the words j, O(T²) (https://arxiv.org/abs/1706.03762).

    queries, keys, values: (B, T, E); words: (B, T), false on padding.
    """
    scores = queries @ keys.transpose(1, 2) / keys.size(2) ** 0.5  # (B, T, T)
    return scores.masked_fill(~words[:, None], -torch.inf).softmax(dim=2) @ values  # → (B, T, E)


def linear_attention(
    queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, words: torch.Tensor
) -> torch.Tensor:
    """The same with φ(q)·φ(k), φ = elu + 1, for the exponential: sums over j come first, O(T).

    https://arxiv.org/abs/2006.16236, where every word attends to all.
    """
    queries, keys = nn.functional.elu(queries) + 1, (nn.functional.elu(keys) + 1) * words[:, :, None]
    sums = queries @ (keys.transpose(1, 2) @ values)  # (B, T, E) @ (B, E, E) → (B, T, E)
    return sums / (queries @ keys.sum(dim=1)[:, :, None])  # by (B, T, 1)


RANGE = 0.5  # of positions, about the standard deviation of word vectors, so that neither drowns the other


def positions(time: int, size: int, device: torch.device) -> torch.Tensor:
    """(T, E): sines and cosines of the position at falling frequencies, so that order counts."""
    frequencies = 10_000 ** (-torch.arange(0, size, 2, device=device) / size)  # (⌈E / 2⌉,)
    angles = torch.arange(time, device=device)[:, None] * frequencies  # (T, ⌈E / 2⌉)
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)[:, :size]


class SelfAttention(StartsOnVectors):
    """Words and their positions → self-attention beside its input, normalized → pooling → dropout → logits."""

    attention: Callable[..., torch.Tensor]  # the form: queries, keys, values and which are words → what each word gets

    def __init__(
        self,
        vocabulary_size: int,
        classes: int,
        *,
        embedding_size: int,
        word_dropout: float,
        dropout: float,
        pooling: str,
    ):
        super().__init__()
        self.embedding = WordEmbedding(vocabulary_size, embedding_size, word_dropout)
        self.projections = nn.Linear(embedding_size, 3 * embedding_size)
        self.mixed = nn.Linear(embedding_size, embedding_size)
        self.norm = nn.LayerNorm(embedding_size)
        self.dropout = nn.Dropout(dropout)
        self.pooling = POOLINGS[pooling](embedding_size)
        self.output = nn.Linear(embedding_size, classes)

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        words = self.embedding(ids)  # (B, T) → (B, T, E)
        placed = self.dropout(words + RANGE * positions(words.size(1), words.size(2), words.device))
        attended = self.attention(*self.projections(placed).chunk(3, dim=2), is_word(lengths, ids.size(1)))
        states = self.norm(placed + self.mixed(attended))  # → (B, T, E)
        pooled = self.dropout(self.pooling(states, lengths))  # → (B, E)
        return self.output(pooled)  # → (B, C)
