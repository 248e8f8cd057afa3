"""Tables as people have them, read a block of rows at a time: CSV, TSV, JSON lines and Parquet, packed or not."""

import codecs
import csv
import gzip
import json
import re
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TextIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from stages.common.command import InputError

ROWS = 50_000  # of a block
SURROGATES = re.compile("[\ud800-\udfff]")
SUFFIXES = (".tsv", ".csv", ".jsonl", ".parquet")


def read_blocks(
    path: Path,
    *,
    encoding: str = "utf-8",
    delimiter: str | None = None,
    kind: str | None = None,
    header: Sequence[str] | None = None,
) -> Iterator[pd.DataFrame]:
    """The columns as they are written, each row under the number of the line it begins on; the header is line 1.

    `kind` (tsv, csv, jsonl, parquet) or else the file's name says what it is; `.gz` behind that, that it is packed. TSV
    is read as GLUE writes it, without quoting, a row a line; everything else between delimiters as CSV. Where `header`
    names the columns, line 1 is a row. Parquet's rows count from 2, as a CSV's would.

    Raises:
        InputError: of no kind known here, undecodable, ragged, a fault in its quoting, or damaged.
    """
    kind = f".{kind}" if kind else Path(path.name.removesuffix(".gz")).suffix
    if kind not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise InputError(
            f"{path.name}: a table's name ends in {known}, or in one of these and .gz; rename it, "
            "or name its kind under format in corpora/"
        )
    if header and kind in (".jsonl", ".parquet"):
        raise InputError(f"{path.name}: {kind} names its columns itself; remove header from format in corpora/")
    try:
        if kind == ".parquet":
            yield from parquet_blocks(path)
        else:
            yield from text_blocks(path, kind, encoding, delimiter, header)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(
            f"{path.name} is no whole gzip file ({error}); pack it again, or drop .gz from its name"
        ) from None


def parquet_blocks(path: Path) -> Iterator[pd.DataFrame]:
    try:
        line = 2
        for batch in pq.ParquetFile(path).iter_batches(ROWS):
            yield batch.to_pandas().set_axis(range(line, line + len(batch)))
            line += len(batch)
    except pa.ArrowInvalid as error:
        raise InputError(f"{path.name}: {' '.join(str(error).split())}; write it again as Parquet") from None


def text_blocks(
    path: Path, kind: str, encoding: str, delimiter: str | None, header: Sequence[str] | None
) -> Iterator[pd.DataFrame]:
    try:
        "".encode(encoding)  # of encodings that are no text's too, such as base64, this is a LookupError
        marked = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding  # as spreadsheets write it
    except LookupError:
        raise InputError(
            f"there is no encoding {encoding!r}, as format in corpora/ has it; utf-8 and windows-1252 are some"
        ) from None
    open_file = gzip.open if path.name.endswith(".gz") else open
    with open_file(path, "rt", encoding=marked, newline="\n") as file:
        try:
            if kind == ".jsonl":
                rows, columns = json_rows(path.name, file), None
            else:
                rows = delimited_rows(path.name, file, kind, delimiter, header)
                _, columns = next(rows)
            while block := list(islice(rows, ROWS)):
                lines, values = zip(*block, strict=True)
                yield pd.DataFrame(list(values), index=lines, columns=columns)
        except UnicodeError:  # UTF-16 without its mark is no UnicodeDecodeError
            line = first_undecodable_line(path, encoding)
            raise InputError(
                f"{path.name}, line {line}: not {encoding.upper()}; save it as UTF-8, or name its encoding "
                "under format in corpora/"
            ) from None


def delimited_rows(
    name: str, file: TextIO, kind: str, delimiter: str | None, header: Sequence[str] | None
) -> Iterator[tuple[int, Sequence[str]]]:
    """The header and every row, each with the number of the line it begins on."""
    csv.field_size_limit(sys.maxsize)
    options = {"delimiter": delimiter or ",", "strict": True}
    if kind == ".tsv" and delimiter is None:
        options = {"delimiter": "\t", "quoting": csv.QUOTE_NONE}
    reader = csv.reader(file, **options)
    try:
        named_in = "format.header" if header else "the header"
        header = header or next(reader, None)
        if header is None:
            raise InputError(f"{name} is empty; it needs a header line and rows")
        if len(set(header)) < len(header):
            twice = next(column for column in header if header.count(column) > 1)
            raise InputError(f"{name}, line 1: two columns are called {twice!r}; rename one")
        yield 1, header
        line = reader.line_num + 1
        for row in reader:
            if len(row) != len(header):
                raise InputError(
                    f"{name}, line {line}: {len(row)} fields, expected {len(header)} as in {named_in}; mend one of "
                    "the two, or name the delimiter under format in corpora/"
                )
            yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"{name}, line {reader.line_num}: {error}; quote its fields as CSV does") from None


def json_rows(name: str, lines: Iterable[str]) -> Iterator[tuple[int, dict]]:
    for line, content in enumerate(lines, 1):
        try:
            row = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{name}, line {line}: no JSON ({error}); every line needs one object") from None
        if not isinstance(row, dict):
            raise InputError(f"{name}, line {line}: {content.strip()[:40]!r} is no object; every line needs one")
        if "\\u" in content and any(isinstance(value, str) and SURROGATES.search(value) for value in row.values()):
            raise InputError(f"{name}, line {line}: half of a character (\\ud800 to \\udfff); mend it")
        yield line, row


def first_undecodable_line(path: Path, encoding: str) -> int:
    open_file = gzip.open if path.name.endswith(".gz") else open
    with open_file(path, "rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode(encoding)
            except UnicodeError:
                return number
    return number  # a character cut off by the file's end
