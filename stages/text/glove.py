"""GloVe's word vectors (https://aclanthology.org/D14-1162) as they are published: a word and its numbers a line."""

import io
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

from stages.common.command import InputError

LONGEST_LINE = 1 << 16  # bytes; 300 numbers take 3,000


def read_vectors(path: Path, words: list[str], dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions in `words` that have a vector, (N,), and their vectors, (N, dimension) float32.

    Of the other words' lines nothing but the word is looked at, which makes this faster than a reader of tables.

    Raises:
        InputError: a word is not followed by `dimension` numbers, or no word has a vector.
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
    if not lines:
        raise InputError(f"{path.name} has a vector for none of the corpus's words; is it in the corpus's language?")
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
    if not np.isfinite(vectors).all():
        raise InputError(f"{path.name} holds a number that is not finite; fetch it again")
    return np.array(positions), vectors


def numbers(lines: bytes, dimension: int) -> np.ndarray:
    """What stands behind the words, (N, dimension) float32."""
    columns = [f"number {index}" for index in range(dimension)]
    types = {"word": pa.string(), **dict.fromkeys(columns, pa.float32())}
    read = csv.ReadOptions(column_names=list(types))
    parse = csv.ParseOptions(delimiter=" ", quote_char=False, ignore_empty_lines=False)
    convert = csv.ConvertOptions(column_types=types, null_values=[])
    table = csv.read_csv(io.BytesIO(lines), read, parse, convert)
    return np.column_stack([table[column].to_numpy() for column in columns])
