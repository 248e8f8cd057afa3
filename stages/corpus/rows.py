"""A corpus as rows of id, text and label, checked row by row."""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from stages.common.command import InputError
from stages.corpus.classes import NO_CLASS, classes_of
from stages.corpus.tables import read_blocks

LONGEST = 100_000  # characters of a text


def read_rows(
    folder: Path,
    name: str,
    *,
    text: str,
    label: str,
    labels: dict[str, str | dict[str, float]],
    group: str | None = None,
    left_out: Counter | None = None,
    **format: object,
) -> Iterator[pd.DataFrame]:
    """A table's rows, a block at a time: id (`<file>:<line>`), text (stripped), label (0, 1, …) and, if asked, group.

    `labels` maps the names of the classes, in their order, to the values that stand for them in the file, or to ranges
    of its ratings; rows between the ranges are left out, and `left_out` gets their number under the file's name.
    `format` goes to `read_blocks`.

    Raises:
        InputError: as `read_blocks`; a missing column, an unknown label, an empty or endless text, a NUL
            character, no rows, or a class without rows; the message names the file and the line.
    """
    classes, counts = classes_of(name, labels), Counter()
    for block in read_blocks(folder / name, **format):
        for column in filter(None, (text, label, group)):
            if list(block.columns).count(column) != 1:
                raise InputError(
                    f"{name} needs one column {column!r} and has {', '.join(map(repr, block.columns))}; "
                    "name the right one in corpora/"
                )
        try:
            texts, values = as_written(block[text]), as_written(block[label])
        except UnicodeDecodeError:
            raise InputError(f"{name}: {text!r} or {label!r} holds bytes that are no UTF-8; write it as text") from None
        for faulty, reason in (
            ((texts == text) & (values == label), "the header again; remove it"),
            (texts == "", "the text is empty; fill it in or remove the row"),
            (texts.str.len() > LONGEST, f"the text has more than {LONGEST:,} characters; cut it or remove the row"),
            (texts.str.contains("\0", regex=False), "the text holds a NUL character; save the file as UTF-8 text"),
        ):
            if faulty.any():
                raise InputError(f"{name}, line {faulty.idxmax()}: {reason}")
        numbers = classes.numbers(values).astype("int64")
        counts.update(numbers.value_counts().to_dict())
        rows = {"id": [f"{name}:{line}" for line in block.index], "text": texts, "label": numbers}
        if group:
            rows["group"] = as_written(block[group])
        yield pd.DataFrame(rows)[numbers != NO_CLASS].reset_index(drop=True)
    if not counts:
        raise InputError(f"{name} has no rows; give it some")
    if missing := [number for number in range(len(labels)) if not counts[number]]:
        raise classes.without(missing[0])
    if left_out is not None and counts[NO_CLASS]:
        left_out[name] = counts[NO_CLASS]


def read_table(folder: Path, name: str, **settings) -> pd.DataFrame:
    """All rows of `read_rows` at once."""
    return pd.concat(read_rows(folder, name, **settings), ignore_index=True)


def warn_of_left_out(left_out: Counter) -> None:
    if left_out:
        found = ", ".join(f"{count:,} of {name}" for name, count in left_out.items())
        print(f"warning: rows between the ranges of labels in corpora/: {found}; they are left out", file=sys.stderr)


def as_written(column: pd.Series) -> pd.Series:
    """The values as text, without blanks around them; a gap is empty, 1.0 is 1 and true is True."""
    if not pd.api.types.is_string_dtype(column):
        column = column.convert_dtypes().astype(object).fillna("").astype(str)
    return column.fillna("").str.strip()


def table_settings(corpus: dict) -> dict:
    """What `read_rows` has to know of a corpus's settings, and a counter of the rows that it leaves out."""
    return {**corpus["columns"], "labels": corpus["labels"], "left_out": Counter(), **corpus["format"]}
