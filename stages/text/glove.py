"""GloVe's word vectors (https://aclanthology.org/D14-1162), from their published text files or from a package on PyPI.

A published file, glove.6B.<dimension>d.txt, has a word and its numbers on every line. The package has the same numbers
in an array, glove_6B_<dimension>d_emb.npy, and the words of the array's rows in a table, glove_6B_index.parquet.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tokenize import TokenError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from stages.common.command import InputError

LONGEST_LINE = 1 << 16  # bytes; 300 numbers take 3,000
DAMAGE = (pa.ArrowException, TokenError, LookupError, TypeError, ValueError, OverflowError, OSError)


def read_vectors(folder: Path, words: list[str], dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the `words` with a vector, (N,), and their vectors, (N, dimension) float32, in the files' order.

    Raises:
        InputError: a file is damaged, does not hold `dimension` numbers for every word, or no word has a vector.
    """
    array, text = folder / f"glove_6B_{dimension}d_emb.npy", folder / f"glove.6B.{dimension}d.txt"
    path, read = (array, read_array) if array.is_file() else (text, read_text)
    positions, vectors = read(path, words, dimension)
    if not len(positions):
        raise InputError(f"{path.name} has a vector for none of the corpus's words; is it in the corpus's language?")
    if not np.isfinite(vectors).all():
        raise InputError(f"{path.name} holds a number that is not finite; fetch it again")
    return positions, vectors


def read_array(path: Path, words: list[str], dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """As `read_vectors`, from an array whose words are in a table beside it."""
    table = path.with_name("glove_6B_index.parquet")
    with damage_named(table), table.open("rb") as file:
        rows = pq.ParquetFile(file).read(columns=["index"])["index"]
        position_of_row = pc.fill_null(pc.index_in(rows, value_set=pa.array(words, pa.string())), -1).to_numpy()
    with damage_named(path):
        vectors = np.lib.format.open_memmap(path, mode="r")  # it reads no pickle
    if vectors.shape != (len(rows), dimension) or vectors.dtype != np.float32:
        raise InputError(
            f"{path.name}: expected {dimension} float32 numbers for each of the {len(rows):,} words of {table.name}, "
            f"found {vectors.dtype} of the shape {vectors.shape}; fetch both again"
        )
    found = np.flatnonzero(position_of_row >= 0)
    # The order in memory, which indexing does not promise, changes how sums round. Text gives one row after another.
    return position_of_row[found], np.ascontiguousarray(vectors[found])


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    try:
        yield
    except DAMAGE as error:
        if isinstance(error, OSError) and error.errno is not None:  # Arrow's own have none
            raise
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path.name} is damaged ({reason}); fetch it again") from None


def read_text(path: Path, words: list[str], dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """As `read_vectors`, from a text file.

    Of lines with other words only the word is read, which makes this faster than a reader of tables.
    """
    position_of = {word.encode(): position for position, word in enumerate(words)}
    expected = f"expected a word and {dimension} numbers"
    positions, lines = [], []
    with path.open("rb") as file:
        for line in iter(partial(file.readline, LONGEST_LINE), b""):
            position = position_of.get(line.split(b" ", 1)[0].rstrip(b"\r\n"))
            if position is not None:
                positions.append(position)
                lines.append(line)
            if len(line) == LONGEST_LINE:
                raise InputError(f"{path.name}: {expected} on every line, found {LONGEST_LINE:,} bytes; fetch it again")
    try:
        vectors = numbers(b"".join(lines), dimension)
    except pa.ArrowInvalid as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{path.name}: {expected} on every line ({reason}); fetch it again, "
            "or correct run.glove_dimensions in run.yaml"
        ) from None
    if len(vectors) != len(lines):
        raise InputError(f"{path.name}: {expected} on every line; fetch it again")
    return np.array(positions), vectors


def numbers(lines: bytes, dimension: int) -> np.ndarray:
    """The numbers after the word of each line, (N, dimension) float32."""
    if not lines:  # an error for Arrow
        return np.empty((0, dimension), np.float32)
    columns = [f"number {index}" for index in range(dimension)]
    types = {"word": pa.string(), **dict.fromkeys(columns, pa.float32())}
    read = csv.ReadOptions(column_names=list(types))
    parse = csv.ParseOptions(delimiter=" ", quote_char=False, ignore_empty_lines=False)
    convert = csv.ConvertOptions(column_types=types, null_values=[])
    table = csv.read_csv(io.BytesIO(lines), read, parse, convert)
    return np.column_stack([table[column].to_numpy() for column in columns])
