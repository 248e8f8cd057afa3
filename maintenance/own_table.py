"""What a person's table is, read as the pipeline reads it: its format, and splits with all of its classes."""

import csv
import io
from collections import Counter
from pathlib import Path
from typing import IO

import pandas as pd

from stages.common.command import InputError
from stages.corpus.formats.encodings import codec_of, marked_encoding, not_encoded
from stages.corpus.formats.lines import FASTTEXT_LABEL
from stages.corpus.formats.packed import opened, unpacked
from stages.corpus.splits import hold_out_share
from stages.corpus.tables import read_blocks

OWN_DELIMITERS = {"csv": ",", "tsv": "\t"}  # by kind
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
