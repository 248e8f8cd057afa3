"""Sequences as they lie in memory or on disk, and batches of them grouped by length."""

import functools
import operator
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from stages.training.accelerator.transfer import moved
from stages.training.inputs import PADDING

POOL = 64  # batches whose rows are sorted by length together: enough to waste little padding, few enough to stay random
# In a batch, padding included, by the kind of device. On a CPU as many as its caches hold: 8,192 take a sixth longer.
EVALUATION_TOKENS = {"cpu": 1024}
EVALUATION_TOKENS_OF_OTHERS = 65_536
LENGTH_STEP = {"cuda": 8}  # a batch is as long as a multiple of it: of few lengths, so that kernels are made once


class OnDisk:
    """An array in a NumPy file, of which only what is asked for at a time is in memory."""

    def __init__(self, path: Path):
        array = np.load(path, mmap_mode="r")
        self.path, self.shape, self.dtype = path, array.shape, array.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, positions: np.ndarray | slice) -> np.ndarray:
        return np.load(self.path, mmap_mode="r")[positions]  # a mapping kept open would count all it ever read


class Joined:
    """Arrays end to end, read by position; unlike their concatenation it leaves on disk what lies there."""

    def __init__(self, arrays: list[np.ndarray | OnDisk]):
        self.arrays = arrays
        self.ends = np.cumsum([len(array) for array in arrays])

    def __getitem__(self, positions: np.ndarray) -> np.ndarray:
        found = np.empty((len(positions), *self.arrays[0].shape[1:]), dtype=self.arrays[0].dtype)
        owner = np.searchsorted(self.ends, positions, side="right")
        for number, array in enumerate(self.arrays):
            mine = owner == number
            found[mine] = array[positions[mine] - self.ends[number] + len(array)]
        return found


@dataclass(frozen=True)
class Sequences:
    """N sequences, end to end in one array: row i is `tokens[offsets[i]:offsets[i + 1]]`."""

    ids: np.ndarray  # (N,) the rows' names
    labels: np.ndarray  # (N,) class numbers or, to learn from a teacher, (N, C) probabilities
    tokens: np.ndarray | OnDisk | Joined  # (all tokens,) int32 or, of features, (all tokens, E) float16
    offsets: np.ndarray  # (N + 1,)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self.offsets)

    @classmethod
    def read(cls, path: Path) -> "Sequences":
        """A Parquet file with the columns `id`, `label` and `tokens`, a list of ids a row.

        Instead of `tokens` it may have `length`: then the rows' features are in a NumPy file of the same
        name, (all tokens, E), and stay there until a batch needs them.
        """
        table = pq.read_table(path).combine_chunks()
        if "tokens" in table.column_names:
            lists = table["tokens"].combine_chunks()
            tokens, offsets = lists.flatten().to_numpy(), lists.offsets.to_numpy().astype(np.int64)
        else:
            tokens = OnDisk(path.with_suffix(".npy"))
            offsets = np.concatenate([[0], np.cumsum(table["length"].to_numpy())])
        return cls(table["id"].to_numpy(), table["label"].to_numpy(), tokens, offsets)

    @classmethod
    def of(cls, rows: list[list[int]] | pa.ListArray) -> "Sequences":
        """Rows of ids without names or labels, to predict on."""
        lists = rows if isinstance(rows, pa.ListArray) else pa.array(rows, pa.list_(pa.int32()))
        tokens, offsets = lists.flatten().to_numpy(), lists.offsets.to_numpy().astype(np.int64)
        return cls(np.arange(len(rows)).astype(str), np.zeros(len(rows), dtype=np.int64), tokens, offsets)

    def part(self, start: int, stop: int) -> "Sequences":
        """The rows from `start` up to `stop`."""
        first, last = self.offsets[start], self.offsets[stop]
        offsets = self.offsets[start : stop + 1] - first
        return Sequences(self.ids[start:stop], self.labels[start:stop], self.tokens[first:last], offsets)

    def __add__(self, other: "Sequences") -> "Sequences":
        arrays = [array for rows in (self, other) for array in getattr(rows.tokens, "arrays", [rows.tokens])]
        return Sequences(
            ids=np.concatenate([self.ids, other.ids]),
            labels=np.concatenate([self.labels, other.labels]),
            tokens=Joined(arrays),
            offsets=np.concatenate([self.offsets, self.offsets[-1] + other.offsets[1:]]),
        )

    def positions(self, rows: np.ndarray, step: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Where some rows' tokens are in a padded batch, booleans (B, T), and in `tokens`, in the same order."""
        lengths = self.lengths[rows]
        time = np.arange(-(-lengths.max() // step) * step)
        is_token = time < lengths[:, None]  # (B, T)
        return is_token, (self.offsets[rows, None] + time)[is_token]

    def padded(self, rows: np.ndarray, step: int = 1) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Of some rows ids (B, T) or features (B, T, E), padded to a multiple of `step`, lengths (B,), and labels."""
        is_token, positions = self.positions(rows, step)
        tokens = self.tokens[positions]
        kind = np.int64 if np.issubdtype(tokens.dtype, np.integer) else tokens.dtype
        padded = np.full(is_token.shape + tokens.shape[1:], PADDING, dtype=kind)
        padded[is_token] = tokens
        return tuple(torch.from_numpy(array) for array in (padded, self.lengths[rows], self.labels[rows]))

    def batch(self, rows: np.ndarray, device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """As `padded`, on a device."""
        return moved(self.padded(rows), device)


def read_splits(folder: Path) -> dict[str, Sequences]:
    """Every split of a folder of rows, by its name."""
    return {path.stem: Sequences.read(path) for path in sorted(folder.glob("*.parquet"))}


def all_but_test(rows: dict[str, Sequences]) -> Sequences:
    """The rows of every split but `test`, one split after the other."""
    return functools.reduce(operator.add, [rows[split] for split in rows if split != "test"])


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


def evaluation_batches(lengths: np.ndarray, device: torch.device) -> Iterator[np.ndarray]:
    """Row numbers by falling length, a batch of bounded size at a time: the one that needs most memory comes first."""
    tokens = EVALUATION_TOKENS.get(device.type, EVALUATION_TOKENS_OF_OTHERS)
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        rows = max(1, tokens // int(lengths[order[start]]))
        yield order[start : start + rows]
        start += rows
