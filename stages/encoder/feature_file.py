"""A file of features that grows by shards, so that a killed embedding goes on from its last one."""

import io
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np

from stages.common.command import InputError
from stages.training.sequences import Sequences

SHARD = 1 << 16  # tokens, or one row more: what a kill can lose, and what lies in memory


class FeatureFile:
    """Features of all tokens of some rows, (tokens, width) float16 in NumPy's format, in the order of the rows."""

    def __init__(self, path: Path, rows: Sequences, width: int):
        self.path, self.rows, self.width = path, rows, width
        self.tokens = int(rows.offsets[-1])
        ends = np.searchsorted(rows.offsets, np.arange(SHARD, self.tokens + SHARD, SHARD))
        self.ends = np.unique(np.minimum(ends, len(rows)))  # rows before which a shard ends
        self.header = npy_header((self.tokens, width))
        self.written = self.keep_whole_shards()  # tokens

    def keep_whole_shards(self) -> int:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            if file.tell() < len(self.header):
                file.truncate(0)
                file.write(self.header)
            there = (file.tell() - len(self.header)) // (2 * self.width)
            whole = max((int(end) for end in self.rows.offsets[self.ends] if end <= there), default=0)
            file.truncate(len(self.header) + 2 * self.width * whole)
        return whole

    @property
    def missing_bytes(self) -> int:
        return 2 * self.width * (self.tokens - self.written)

    def missing(self) -> Iterator[tuple[Sequences, np.ndarray]]:
        """The rows of each shard not yet written, and the array to fill with their features before the next one."""
        for start, stop in zip([0, *self.ends[:-1]], self.ends, strict=True):
            if self.rows.offsets[stop] <= self.written:
                continue
            part = self.rows.part(start, stop)
            features = np.empty((len(part.tokens), self.width), dtype=np.float16)
            yield part, features
            with self.path.open("ab") as file:
                file.write(features)


def npy_header(shape: tuple[int, int]) -> bytes:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f2", "fortran_order": False, "shape": shape})
    return header.getvalue()


def check_space(feature_files: Collection[FeatureFile]) -> None:
    """Compare what the files still need with what their disk has.

    Raises:
        InputError: it is not enough.
    """
    folder = next(iter(feature_files)).path.parent
    needed, free = sum(file.missing_bytes for file in feature_files), shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(
            f"{folder}: the features take {needed / 1e9:,.1f} GB and {free / 1e9:,.1f} GB are free; "
            "free some, or keep fewer of the encoder's layers in params.yaml"
        )
