"""What a person's table holds, read as the pipeline reads it: its format, its classes, and splits with all of them."""

import codecs
import csv
import gzip
import zlib
from collections import Counter
from pathlib import Path

import pandas as pd

from maintenance.corpus_files import NUMBER
from stages.common.command import InputError
from stages.common.params import suggestion
from stages.corpus.rows import as_written
from stages.corpus.splits import hold_out_share
from stages.corpus.tables import first_undecodable_line, read_blocks

OWN_DELIMITERS = {"csv": ",", "tsv": "\t", "jsonl": None}  # by what a file's name ends in
MOST_CLASSES = 50  # more are no classes but numbers, or texts
FEWEST_ROWS = 10  # of a class: one of them is valid's
SHARES = {"test": 0.2, "valid": 0.125}  # in this order, valid of the rows that test leaves: a tenth of all
SEEDS = range(1, 101)  # the first that gives every split rows of every class is taken


def find_format(table: Path, columns: list[str], encoding: str) -> dict[str, str]:
    """A corpus's `format`: the encoding but for UTF-8, and the delimiter where the file's name says another.

    It is the one of comma, semicolon and tab under which the header line has most of the columns.

    Raises:
        InputError: the table is not in the encoding, or there is no such encoding.
    """
    kind = Path(table.name.removesuffix(".gz")).suffix.removeprefix(".")
    if kind not in OWN_DELIMITERS:
        return {}
    is_utf_8 = False
    try:
        is_utf_8 = codecs.lookup(encoding).name == "utf-8"
        header = read_header(table, "utf-8-sig" if is_utf_8 else encoding)
    except LookupError:
        raise InputError(f"there is no ENCODING {encoding!r}; utf-8 and windows-1252 are some") from None
    except UnicodeError:
        line = first_undecodable_line(table, encoding)
        advice = "save it as UTF-8, or add ENCODING=windows-1252 or what else it is"
        raise InputError(f"{table.name}, line {line}: not {encoding.upper()}; {advice}") from None
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return {}  # read_blocks says it
    found = {} if is_utf_8 else {"encoding": encoding}
    if kind == "jsonl":
        return found

    def fit(delimiter: str) -> tuple[int, int]:
        fields = next(csv.reader([header], delimiter=delimiter), [])
        return len(set(columns) & set(fields)), len(fields)

    best = max((",", ";", "\t"), key=fit)
    return found if best == OWN_DELIMITERS[kind] else {"delimiter": best} | found


def read_header(table: Path, encoding: str) -> str:
    """The first line; the others are only decoded."""
    open_file = gzip.open if table.suffix == ".gz" else open
    with open_file(table, "rt", encoding=encoding, newline="\n") as file:
        header = file.readline(100_000)
        while file.read(1 << 20):
            pass
    return header


def count_labels(table: Path, columns: list[str], label: str, format: dict[str, str]) -> Counter:
    """How many rows have each value of the label's column.

    Raises:
        InputError: a column is not there, a label is empty, or these are no classes to learn.
    """
    counts = Counter()
    for block in read_blocks(table, **format):
        for column in columns:
            if list(block.columns).count(column) != 1:
                known = [str(name)[:40] for name in block.columns]
                raise InputError(f"{table.name} needs one column {column!r}{suggestion(column, known)}")
        try:
            values = as_written(block[label])
        except UnicodeDecodeError:
            raise InputError(f"{table.name}: {label!r} holds bytes that are no UTF-8; write it as text") from None
        if (values == "").any():
            line = (values == "").idxmax()
            raise InputError(f"{table.name}, line {line}: the label is empty; fill it in or remove the row")
        counts.update(values)
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
    return counts


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
