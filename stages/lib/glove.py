"""GloVe's word vectors (https://aclanthology.org/D14-1162) as they are published: a word and its numbers a line."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from stages.lib.command import InputError

BLOCK = 1 << 24  # bytes read at a time


def read_vectors(path: Path, words: list[str], dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions in `words` that have a vector, (N,), and their vectors, (N, dimension) float32.

    The file is read in blocks and only the words asked for are kept, so memory does not grow with it.

    Raises:
        InputError: a line is not a word and `dimension` numbers, or no word has a vector.
    """
    numbers = [f"number {index}" for index in range(dimension)]
    types = {"word": pa.string(), **dict.fromkeys(numbers, pa.float32())}
    read = csv.ReadOptions(column_names=list(types), block_size=BLOCK)
    parse = csv.ParseOptions(delimiter=" ", quote_char=False)
    convert = csv.ConvertOptions(column_types=types, null_values=[])
    wanted, positions, vectors = pa.array(words), [], []
    try:
        for block in csv.open_csv(path, read, parse, convert):
            found = pc.index_in(block["word"], wanted)
            kept = block.filter(found.is_valid())
            positions.append(found.drop_null().to_numpy())
            vectors.append(np.column_stack([kept[number].to_numpy() for number in numbers]))
    except pa.ArrowInvalid as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{path.name}: expected a word and {dimension} numbers on every line ({reason}); "
            "fetch it again, or correct run.glove in params.yaml"
        ) from None
    if not sum(map(len, positions)):
        raise InputError(f"{path.name} has a vector for none of the corpus's words; is it in the corpus's language?")
    table = np.concatenate(vectors)
    if not np.isfinite(table).all():
        raise InputError(f"{path.name} holds a number that is not finite; fetch it again")
    return np.concatenate(positions), table
