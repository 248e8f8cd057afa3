"""The vocabulary: a token's id is its line in vocab.txt, counted from 0; the first two tokens are not words."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from stages.training.inputs import UNKNOWN

SPECIAL_TOKENS = ("<pad>", "<unk>")  # by id: `PADDING`, `UNKNOWN`


def build_vocabulary(counts: Counter[str], min_count: int) -> list[str]:
    """Padding, unknown, then the words seen at least `min_count` times: most frequent first, ties alphabetically."""
    words = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [*SPECIAL_TOKENS, *(word for word, count in words if count >= min_count and word not in SPECIAL_TOKENS)]


def write_vocabulary(path: Path, vocabulary: list[str]) -> None:
    path.write_text("".join(f"{token}\n" for token in vocabulary), encoding="utf-8", newline="")


def read_vocabulary(path: Path) -> list[str]:
    """The tokens in the order of their ids; a token may have any character but the line feed."""
    return path.read_bytes().decode().split("\n")[:-1]


def word_ids(words: pa.ListArray, vocabulary: list[str]) -> pa.ListArray:
    """Lists of words as lists of their ids; a text's own "<pad>" is an unknown word like any other."""
    first = len(SPECIAL_TOKENS)
    positions = pc.index_in(words.flatten(), pa.array(vocabulary[first:], pa.string()))
    ids = pc.fill_null(pc.add(positions, pa.scalar(first, pa.int32())), pa.scalar(UNKNOWN, pa.int32()))
    return pa.ListArray.from_arrays(pc.subtract(words.offsets, words.offsets[0]), ids)


def how_to_cut(tokenizer: str) -> str:
    """What to do where too few words are known, as those of a tokenizer that does not fit the language are."""
    advice = "put a blank between words where the language has none, as Thai has"
    return advice if tokenizer == "raw_text" else f"set tokenizer to raw_text where punctuation is not apart, {advice}"
