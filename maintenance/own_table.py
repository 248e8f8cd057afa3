"""What a person's table holds, read as the pipeline reads it: its format, its classes, and splits with all of them."""

import csv
import io
import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import IO

import pandas as pd

from maintenance.corpus_files import NUMBER
from stages.common.command import InputError
from stages.corpus.formats.cells import WHOLE
from stages.corpus.formats.encodings import codec_of, marked_encoding, not_encoded
from stages.corpus.formats.lines import FASTTEXT_LABEL
from stages.corpus.formats.packed import opened, unpacked
from stages.corpus.splits import hold_out_share
from stages.corpus.tables import read_blocks

OWN_DELIMITERS = {"csv": ",", "tsv": "\t"}  # by kind
MOST_CLASSES = 50  # more are not classes but numbers, or texts
FEWEST_ROWS = 10  # of a class: one of them is valid's
SHARES = {"test": 0.2, "valid": 0.125}  # in this order, valid of the rows that test leaves: a tenth of all
SEEDS = range(1, 101)  # the first that gives every split rows of every class is taken


def find_format(tables: list[Path], columns: list[str], encoding: str | None) -> dict[str, str]:
    """A corpus's `format`: the encoding but for UTF-8, and the kind or delimiter where a file's name says another.

    Without an `encoding`, it is the one whose mark the first table begins with, or else UTF-8. The delimiter is the one
    of comma, semicolon, tab and | under which the header line has most of the columns. That of TSV whose values are
    quoted as CSV's are is named too: without it, quotes are read as they are.

    Raises:
        InputError: the first table is not in the encoding, or there is no such encoding.
    """
    table = tables[0]
    encoding = encoding or marked_encoding(table) or "utf-8"
    with opened(table) as (kind, content):
        is_text = kind is None and unpacked(table.name).lower().endswith(".txt")
        if kind in ("parquet", None) and not is_text:
            return {}  # read_blocks says what it has against it
        try:
            header = read_header(content, codec_of(encoding))
        except UnicodeError:
            raise not_encoded(table, encoding, "it: ENCODING=windows-1252 or what else it is") from None
    found = {} if codec_of(encoding) == "utf-8-sig" else {"encoding": encoding}
    if kind is None and header.startswith(FASTTEXT_LABEL):
        return {"kind": "fasttext"} | found
    if kind not in OWN_DELIMITERS:
        return found

    def fit(delimiter: str) -> tuple[int, int]:
        fields = next(csv.reader([header], delimiter=delimiter), [])
        return len(set(columns) & set(fields)), len(fields)

    best = max((",", ";", "\t", "|"), key=fit)
    if best != OWN_DELIMITERS[kind] or (kind == "tsv" and is_quoted(tables, columns, found)):
        return {"delimiter": best} | found
    return found


def read_header(content: IO[bytes], encoding: str) -> str:
    """The first line; the others are only decoded."""
    file = io.TextIOWrapper(content, encoding=encoding, newline="\n")
    header = file.readline(100_000)
    while file.read(1 << 20):
        pass
    file.detach()
    return header


def is_quoted(tables: list[Path], columns: list[str], format: dict[str, str]) -> bool:
    """Whether TSV reads well only as CSV with tabs, or its values are in quotes that CSV would take off."""
    in_quotes = Counter()
    if reads_well(tables, columns, in_quotes=in_quotes, **format):
        return bool(in_quotes)
    return reads_well(tables, columns, delimiter="\t", **format)


def reads_well(tables: list[Path], columns: list[str], **format: object) -> bool:
    try:
        for table in tables:
            for _ in read_blocks(table, columns, **format):
                pass
    except InputError:
        return False
    return True


def count_labels(tables: list[Path], columns: list[str], label: str, format: dict[str, str]) -> tuple[Counter, dict]:
    """How many rows have each value of the label's column, and under each value all that are written like it.

    Values that differ in case, in a whole number's point or in what nobody sees are one, the most frequent of them.

    Raises:
        InputError: a column is not there, a label is empty, or these are not classes to learn.
    """
    counts = Counter()
    for table in tables:
        for block in read_blocks(table, columns, **format):
            values = block[label]
            if (is_empty := values.str.strip() == "").any():
                line = is_empty.idxmax()
                raise InputError(f"{table.name}, line {line}: the label is empty; fill it in or remove the row")
            counts.update(values)
    forms = {}
    for value, _ in counts.most_common():
        forms.setdefault(re.sub(WHOLE, r"\1", as_shown(value).casefold()), []).append(value)
    forms = {written[0]: written for written in forms.values()}
    counts = Counter({value: sum(counts[form] for form in written) for value, written in forms.items()})
    if not counts:
        raise InputError(f"{table.name} has no rows; give it some")
    if len(counts) == 1:
        raise InputError(f"{table.name}: every {label!r} is {min(counts)!r}; two classes or more are needed")
    rarest, rows = counts.most_common()[-1]
    advice = "name a column of classes as LABEL"
    if all(map(NUMBER.fullmatch, counts)):
        cut_points = "write a corpora/<name>.yaml in which labels has cut points, such as {below: 3}"
        advice = f"{cut_points}, as docs/own-data.md shows"
    if len(counts) > MOST_CLASSES:
        found = f"{len(counts):,} different values, more than {MOST_CLASSES} classes"
        raise InputError(f"{table.name}: the column {label!r} holds {found}; {advice}")
    if rows < FEWEST_ROWS:
        found = f"{rows} rows whose {label!r} is {rarest[:40]!r}, but the splits need {FEWEST_ROWS} of every class"
        raise InputError(f"{table.name} has {found}; add some, remove the class, or {advice}")
    return counts, forms


def as_shown(value: str) -> str:
    """Without what nobody sees: blanks at the ends, signs without a width, and how é is written."""
    seen = "".join(sign for sign in value if unicodedata.category(sign) != "Cf")
    return unicodedata.normalize("NFC", seen).strip()


def draw_splits(rows: pd.DataFrame) -> tuple[int, dict[str, int]]:
    """The first seed that gives every split rows of every class, and the splits' numbers of rows.

    Raises:
        ValueError: there is none.
    """
    classes = rows["label"].nunique()
    for seed in SEEDS:
        splits = {"train": rows}
        for name, fraction in SHARES.items():  # as `prepare` does
            rest = splits["train"]
            drawn = hold_out_share(rest, fraction, seed)
            splits |= {"train": rest[~drawn], name: rest[drawn]}
        if all(split["label"].nunique() == classes for split in splits.values()):
            return seed, {name: len(split) for name, split in splits.items()}
    raise ValueError(f"{len(SEEDS)} draws gave no train, valid and test with rows of every class each")
