"""Tables as people have them, read a block of rows at a time: CSV, TSV, JSON lines, fastText and Parquet."""

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from stages.common.command import InputError
from stages.corpus.formats.cells import text_of_arrow
from stages.corpus.formats.delimited import delimited_rows
from stages.corpus.formats.encodings import codec_of, not_encoded
from stages.corpus.formats.lines import check_columns, fasttext_rows, json_rows
from stages.corpus.formats.packed import KINDS, PACKINGS, opened, packing_of

ROWS = 50_000  # of a block


def read_blocks(
    path: Path,
    columns: Sequence[str],
    *,
    encoding: str = "utf-8",
    delimiter: str | None = None,
    kind: str | None = None,
    header: Sequence[str] | None = None,
    in_quotes: Counter | None = None,
) -> Iterator[pd.DataFrame]:
    """Some columns as texts, each row under the number of the line it begins on; the header is line 1.

    `kind` (tsv, csv, jsonl, fasttext, parquet) or else the file's name says what it is; what comes behind that says how
    it is packed. TSV without a `delimiter` is read as GLUE writes it, without quoting, a row a line; everything else
    between delimiters as CSV. Where `header` names the columns, line 1 is a row. fastText's columns are `label` and
    `text`. Parquet's rows count from 2, as a CSV's would. Blank lines at the end are skipped.

    in_quotes: gets the number of a TSV's values that look like quoted ones, if all that hold a quote do.

    Raises:
        InputError: of no kind known here, undecodable, ragged, a fault in its quoting, a blank line before the end,
            damaged, or one of the columns is missing, there twice, or holds what is not text.
    """
    columns = list(dict.fromkeys(columns))
    with opened(path) as (kind_by_name, content):
        kind = kind or kind_by_name
        if kind is None:
            raise InputError(
                f"{path.name}: a table's name ends in {', '.join(KINDS)}, or in one of these and "
                f"{', '.join(PACKINGS)}; rename it, or name its kind under format in corpora/"
            )
        for key, value in (("header", header), ("delimiter", delimiter)):
            if value and kind not in ("csv", "tsv"):
                raise InputError(f"{path.name}: {kind} needs no {key}; remove {key} from format in corpora/")
        if kind == "parquet":
            if packing_of(path.name):
                raise InputError(f"{path.name}: Parquet is packed inside; unpack it, or write it again")
            yield from parquet_blocks(path, columns)
        else:
            yield from text_blocks(path, content, kind, columns, encoding, delimiter, header, in_quotes)


def parquet_blocks(path: Path, columns: list[str]) -> Iterator[pd.DataFrame]:
    try:
        file = pq.ParquetFile(path)
        check_columns(path.name, columns, file.schema_arrow.names)
        line = 2
        for batch in file.iter_batches(ROWS, columns=columns):
            place = f"{path.name}, line {line}: the column"
            read = {name: text_of_arrow(batch[name], f"{place} {name!r}") for name in columns}
            lines = range(line, line + len(batch))
            yield pd.DataFrame({name: column.to_pylist() for name, column in read.items()}, lines, dtype=str)
            line += len(batch)
    except (pa.ArrowInvalid, OSError) as error:
        if getattr(error, "errno", None) is not None:  # this machine's
            raise
        raise InputError(f"{path.name}: {' '.join(str(error).split())[:200]}; write it again as Parquet") from None


def text_blocks(
    path: Path,
    content: io.IOBase,
    kind: str,
    columns: list[str],
    encoding: str,
    delimiter: str | None,
    header: Sequence[str] | None,
    in_quotes: Counter | None,
) -> Iterator[pd.DataFrame]:
    name = path.name
    file = io.TextIOWrapper(content, encoding=codec_of(encoding), newline="\n")
    try:
        if kind == "jsonl":
            rows = json_rows(name, file, columns)
        elif kind == "fasttext":
            check_columns(name, columns, ["label", "text"])
            rows = fasttext_rows(name, file, columns)
        else:
            rows = delimited_rows(name, file, columns, kind, delimiter, header, in_quotes)
        while block := list(islice(rows, ROWS)):
            lines, values = zip(*block, strict=True)
            yield pd.DataFrame(list(values), index=lines, columns=columns, dtype=str)
    except UnicodeError:  # UTF-16 without its mark is not a UnicodeDecodeError
        raise not_encoded(path, encoding) from None
    finally:
        file.detach()  # whoever opened it closes it
