"""Random reviews, written fast: rows of 20 words, the word of rank r with a frequency proportional to 1 / r."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

WORDS, LETTERS = 20, 5
VOCABULARY = 20_000
BLOCK = 100_000  # rows in memory at a time


def vocabulary() -> np.ndarray:
    """Different words of five letters and a blank: bytes (VOCABULARY, LETTERS + 1)."""
    numbers = np.arange(VOCABULARY) * 587 % 26**LETTERS  # a prime, so that no two are the same
    letters = ord("a") + numbers[:, None] // 26 ** np.arange(LETTERS) % 26
    return np.column_stack([letters, np.full(VOCABULARY, ord(" "))]).astype(np.uint8)


def blocks(rows: int, generator: np.random.Generator) -> Iterator[np.ndarray]:
    """The rows' texts, each ending in a blank: bytes (at most BLOCK, WORDS * (LETTERS + 1))."""
    words = vocabulary()
    for start in range(0, rows, BLOCK):
        size = min(BLOCK, rows - start)
        ranks = (VOCABULARY ** generator.random((size, WORDS))).astype(int)  # from 1 up
        yield words[ranks - 1].reshape(size, -1)


def write_table(path: Path, rows: int, seed: int) -> None:
    """Write texts with labels, 0 or 1, as a TSV file."""
    generator = np.random.default_rng(seed)
    with path.open("wb") as file:
        file.write(b"text\tlabel\n")
        for texts in blocks(rows, generator):
            texts[:, -1] = ord("\t")
            labels = generator.integers(ord("0"), ord("2"), (len(texts), 1), dtype=np.uint8)
            file.write(np.hstack([texts, labels, np.full_like(labels, ord("\n"))]))


def write_lines(path: Path, rows: int, seed: int) -> None:
    """Write texts alone, one a line."""
    with path.open("wb") as file:
        for texts in blocks(rows, np.random.default_rng(seed)):
            texts[:, -1] = ord("\n")
            file.write(texts)
