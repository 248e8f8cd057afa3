"""A corpus as rows of id, text and label: read from the tables people have, and checked."""

import csv
import sys
from pathlib import Path

import pandas as pd

from stages.lib.command import InputError


def read_table(folder: Path, name: str, *, text: str, label: str, labels: dict[str, str]) -> pd.DataFrame:
    """A TSV, CSV or Parquet file as the columns id (`<file>:<line>`), text (stripped) and label (0, 1, …).

    TSV is read as GLUE writes it: no quoting, a row a line. `labels` maps the names of the classes, in
    their order, to the values that stand for them in the file.

    Raises:
        InputError: not UTF-8, a ragged row, a missing column, an unknown label, an empty text, no rows,
            or rows of one class only; the message names the file and the line.
    """
    frame = read_columns(folder / name)
    for column in (text, label):
        if list(frame.columns).count(column) != 1:
            raise InputError(
                f"{name} needs one column {column!r} and has {', '.join(map(repr, frame.columns))}; "
                "name the right one in params.yaml"
            )
    if frame.empty:
        raise InputError(f"{name} has no rows under its header; give it some")
    lines = frame.index
    texts = as_written(frame[text])
    values = as_written(frame[label])
    classes = values.map({value: number for number, value in enumerate(labels.values())})
    if (texts == "").any():
        raise InputError(
            f"{name}, line {lines[(texts == '').argmax()]}: the text is empty; fill it in or remove the row"
        )
    if classes.isna().any():
        row = classes.isna().argmax()
        expected = " or ".join(map(repr, labels.values()))
        raise InputError(f"{name}, line {lines[row]}: the label is {values.iloc[row]!r}, expected {expected}")
    if classes.nunique() < len(labels):
        missing = next(value for number, value in enumerate(labels.values()) if number not in set(classes))
        raise InputError(f"{name} has no row with the label {missing!r}; every file needs rows of every class")
    return pd.DataFrame({"id": [f"{name}:{line}" for line in lines], "text": texts, "label": classes.astype("int64")})


def as_written(column: pd.Series) -> pd.Series:
    """The values as text, without blanks around them; a gap is empty and 1.0 is 1."""
    return column.convert_dtypes().astype(object).fillna("").astype(str).str.strip()


def read_columns(path: Path) -> pd.DataFrame:
    """The table as it is written, each row under the number of the line it begins on; the header is line 1."""
    if path.suffix == ".parquet":
        try:
            frame = pd.read_parquet(path)
        except ValueError as error:  # pyarrow's ArrowInvalid is one
            raise InputError(f"{path.name}: {' '.join(str(error).split())}") from None
        return frame.set_axis(range(2, len(frame) + 2))
    csv.field_size_limit(sys.maxsize)
    options = {"delimiter": "\t", "quoting": csv.QUOTE_NONE} if path.suffix == ".tsv" else {"strict": True}
    lines, rows = [], []
    with path.open(encoding="utf-8-sig", newline="\n") as file:
        reader = csv.reader(file, **options)
        try:
            header = next(reader, None)
            if header is None:
                raise InputError(f"{path.name} is empty; it needs a header line and rows")
            line = reader.line_num + 1
            for row in reader:
                if len(row) != len(header):
                    raise InputError(
                        f"{path.name}, line {line}: {len(row)} fields, expected {len(header)} as in the header"
                    )
                lines.append(line)
                rows.append(row)
                line = reader.line_num + 1
        except UnicodeDecodeError:
            raise InputError(
                f"{path.name}, line {first_undecodable_line(path)}: not UTF-8; save the file as UTF-8"
            ) from None
        except csv.Error as error:
            raise InputError(f"{path.name}, line {reader.line_num}: {error}") from None
    return pd.DataFrame(rows, columns=header, index=lines, dtype=str)


def first_undecodable_line(path: Path) -> int:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    raise AssertionError(f"{path} is UTF-8 after all")


def read_split(folder: Path, split: str) -> pd.DataFrame:
    """A split as the stage `prepare` wrote it: id, text, label."""
    return pd.read_parquet(folder / f"{split}.parquet")
