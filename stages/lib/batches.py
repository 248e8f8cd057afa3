"""Sequences of ids as they lie in memory, and batches of them grouped by length."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch

from stages.lib.vocabulary import PADDING

POOL = 64  # batches whose rows are sorted by length together: enough to waste little padding, few enough to stay random


@dataclass(frozen=True)
class Sequences:
    """N sequences, end to end in one array: row i is `tokens[offsets[i]:offsets[i + 1]]`."""

    ids: np.ndarray  # (N,) the rows' names
    labels: np.ndarray  # (N,) class numbers
    tokens: np.ndarray  # (all tokens,) int32
    offsets: np.ndarray  # (N + 1,)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self.offsets)

    @classmethod
    def read(cls, path: Path) -> "Sequences":
        """A Parquet file with the columns `id`, `label` and `tokens` (a list of ids a row)."""
        table = pq.read_table(path).combine_chunks()
        tokens = table["tokens"].combine_chunks()
        return cls(
            ids=table["id"].to_numpy(),
            labels=table["label"].to_numpy(),
            tokens=tokens.flatten().to_numpy(),
            offsets=tokens.offsets.to_numpy().astype(np.int64),
        )

    def __add__(self, other: "Sequences") -> "Sequences":
        return Sequences(
            ids=np.concatenate([self.ids, other.ids]),
            labels=np.concatenate([self.labels, other.labels]),
            tokens=np.concatenate([self.tokens, other.tokens]),
            offsets=np.concatenate([self.offsets, self.offsets[-1] + other.offsets[1:]]),
        )

    def batch(self, rows: np.ndarray, device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Padded ids (B, T), lengths (B,) and labels (B,) of some rows, on a device."""
        lengths = self.lengths[rows]
        time = np.arange(lengths.max())
        word = time < lengths[:, None]  # (B, T)
        padded = np.full(word.shape, PADDING, dtype=np.int64)
        padded[word] = self.tokens[(self.offsets[rows, None] + time)[word]]
        arrays = padded, lengths, self.labels[rows]
        return tuple(torch.from_numpy(array).to(device) for array in arrays)


def training_batches(lengths: np.ndarray, batch_size: int, generator: np.random.Generator) -> Iterator[np.ndarray]:
    """Row numbers of one epoch, a batch at a time: every row once, rows of a batch alike in length.

    Rows are shuffled, sorted by length within pools of `POOL` batches, cut into batches, and the batches
    are shuffled; the last batch may be short.
    """
    order = generator.permutation(len(lengths))
    size = POOL * batch_size
    pools = [order[start : start + size] for start in range(0, len(order), size)]
    ordered = [pool[np.argsort(lengths[pool], kind="stable")] for pool in pools]
    batches = [pool[start : start + batch_size] for pool in ordered for start in range(0, len(pool), batch_size)]
    for index in generator.permutation(len(batches)):
        yield batches[index]


def evaluation_batches(lengths: np.ndarray, batch_size: int) -> Iterator[np.ndarray]:
    """Row numbers by falling length, a batch at a time: the batch that needs most memory comes first."""
    order = np.argsort(-lengths, kind="stable")
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]
