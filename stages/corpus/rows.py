"""A corpus as rows of id, text and label, checked row by row."""

import sys
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

import pandas as pd

from stages.common.command import InputError
from stages.corpus.classes import NO_CLASS, classes_of
from stages.corpus.formats.cells import WHOLE
from stages.corpus.tables import read_blocks

LONGEST = 100_000  # characters of a text


def read_rows(
    folder: Path,
    name: str | list[str],
    *,
    text: str,
    label: str,
    labels: dict,
    group: str | None = None,
    left_out_labels: Collection[str | int] = (),
    ignore_in_labels: Collection[str] = (),
    left_out: Counter | None = None,
    **format: object,
) -> Iterator[pd.DataFrame]:
    """A split's rows, a block at a time: id (`<file>:<line>`), text (stripped), label (0, 1, …) and, if asked, group.

    `name` is a table's, a list of several, or that of a folder of them and ends in "/". `labels` maps the names of the
    classes, in their order, to the values in the file, or to ranges of its ratings. Rows between the ranges or with one
    of `left_out_labels` are left out, and `left_out` gets their number under the file's name. Groups that are the same
    whole number are the same, 7 and 7.0. `format` goes to `read_blocks`.

    Raises:
        InputError: as `read_blocks`; an unknown label, an empty or endless text, a NUL character, no rows, or a class
            without rows; the message names the file and the line.
    """
    classes, counts, left_out_here = classes_of(labels, left_out_labels, ignore_in_labels), Counter(), Counter()
    columns = [column for column in (text, label, group) if column is not None]
    for table in tables_of(folder, name):
        for block in read_blocks(folder / table, columns, **format):
            again = (block[text].str.strip() == text) & (block[label].str.strip() == label)
            refuse(table, again, "the header again; remove it")
            numbers = classes.numbers(table, block[label]).astype("int64")
            counts.update(numbers.value_counts().to_dict())
            block, numbers = block[numbers != NO_CLASS], numbers[numbers != NO_CLASS]
            left_out_here[table] += len(again) - len(block)
            texts = block[text].str.strip()
            for faulty, reason in (
                (texts == "", "the text is empty; fill it in or remove the row"),
                (texts.str.len() > LONGEST, f"the text has more than {LONGEST:,} characters; cut it or remove the row"),
                (texts.str.contains("\0", regex=False), "the text holds a NUL character; save the file as UTF-8 text"),
            ):
                refuse(table, faulty, reason)
            rows = {"id": [f"{table}:{line}" for line in block.index], "text": texts, "label": numbers}
            if group is not None:
                rows["group"] = block[group].str.strip().str.replace(WHOLE, r"\1", regex=True)
            yield pd.DataFrame(rows).reset_index(drop=True)
    shown = name if isinstance(name, str) else ", ".join(name)
    if not counts:
        raise InputError(f"{shown} has no rows; give it some")
    if missing := [number for number in range(len(labels)) if not counts[number]]:
        raise classes.lacking(shown, missing[0])
    if left_out is not None:  # not added up, as several splits may be drawn from one table
        left_out |= left_out_here


def refuse(name: str, faulty: pd.Series, reason: str) -> None:
    if faulty.any():
        raise InputError(f"{name}, line {faulty.idxmax()}: {reason}")


def tables_of(folder: Path, names: str | list[str]) -> list[str]:
    """The tables of a split by their names in a folder; of a folder in it, all but hidden files, in their order.

    Raises:
        InputError: one is not there, or twice, or a folder holds folders.
    """
    found = []
    for name in [names] if isinstance(names, str) else names:
        tables = [name] if (folder / name).is_file() and not name.endswith("/") else []
        if name.endswith("/"):  # what Spark writes besides its tables begins with a point or an underscore
            paths = sorted((folder / name).glob("[!._]*"))
            tables = [path.relative_to(folder).as_posix() for path in paths if path.is_file()]
            if inner := next((path for path in paths if path.is_dir()), None):
                raise InputError(f"{inner} is a folder in {name}, whose tables would go unread; move them into {name}")
        if not tables and (folder / name).is_dir() and name.endswith("/"):
            raise InputError(f"{name} holds no table; put some there, or name another folder")
        if not tables:
            raise InputError(f"splits in corpora/ names {name}, which is not there; name it under source.files too")
        found += tables
    paths = [(folder / table).resolve() for table in found]
    for table, path in zip(found, paths, strict=True):
        if paths.count(path) > 1:
            raise InputError(f"splits in corpora/ names {table} twice; its rows would count twice, so name it once")
    return found


def read_table(folder: Path, name: str | list[str], **settings) -> pd.DataFrame:
    """All rows of `read_rows` at once."""
    return pd.concat(read_rows(folder, name, **settings), ignore_index=True)


def table_settings(corpus: dict) -> dict:
    """What `read_rows` has to know of a corpus's settings, and counters of what `warn` tells."""
    counters = {"left_out": Counter(), "in_quotes": Counter()}
    left_out = corpus["splits"].get("left_out", [])
    return {**corpus["columns"], "labels": corpus["labels"], "left_out_labels": left_out, **corpus["format"]} | counters


def warn(left_out: Counter, in_quotes: Counter) -> None:
    """Say how many rows were left out by their label, and how many values look like quoted ones."""
    if left_out:
        found = ", ".join(f"{count:,} of {name}" for name, count in left_out.items())
        reason = "between the ranges of labels or under splits.left_out in corpora/"
        print(f"warning: rows whose label is {reason}: {found}; they are left out", file=sys.stderr)
    for name, count in in_quotes.items():
        advice = r'if a spreadsheet or pandas wrote them, set format to {delimiter: "\t"} in corpora/'
        print(
            f"warning: {name}: {count:,} values are in quotes, which are read as a part of them; {advice}",
            file=sys.stderr,
        )
