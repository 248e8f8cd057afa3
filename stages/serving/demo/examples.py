"""Texts to try a corpus's models on: rows of its valid split, which no model was trained on unless in a final fit."""

from pathlib import Path

import pyarrow.parquet as pq

OF_A_CLASS = 2
SHORTEST, LONGEST = 25, 140  # characters
LOOKED_AT = 2000  # rows


def examples_of(rows: Path) -> list[str]:
    """The first texts of a fitting length of each class, the classes by turns; none where the split is not there."""
    if not rows.is_file():
        return []
    head = next(pq.ParquetFile(rows).iter_batches(LOOKED_AT, columns=["text", "label"]), None)
    by_class: dict[int, list[str]] = {}
    for row in head.to_pylist() if head else []:
        if SHORTEST <= len(row["text"]) <= LONGEST:
            by_class.setdefault(row["label"], []).append(row["text"])
    return [texts[turn] for turn in range(OF_A_CLASS) for _, texts in sorted(by_class.items()) if turn < len(texts)]
