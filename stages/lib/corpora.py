"""A corpus as rows of id, text and label: read from the tables people have, and checked."""

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
        if column not in frame:
            raise InputError(
                f"{name} has no column {column!r} but {', '.join(map(repr, frame.columns))}; "
                "name the right one in params.yaml"
            )
    if frame.empty:
        raise InputError(f"{name} has no rows under its header; give it some")
    lines = frame.index + 2  # the header is line 1
    texts = frame[text].fillna("").astype(str).str.strip()
    classes = (
        frame[label]
        .fillna("")
        .astype(str)
        .str.strip()
        .map({value: number for number, value in enumerate(labels.values())})
    )
    if (texts == "").any():
        raise InputError(
            f"{name}, line {lines[(texts == '').argmax()]}: the text is empty; fill it in or remove the row"
        )
    if classes.isna().any():
        row = classes.isna().argmax()
        expected = " or ".join(map(repr, labels.values()))
        raise InputError(f"{name}, line {lines[row]}: the label is {frame[label].iloc[row]!r}, expected {expected}")
    if classes.nunique() < len(labels):
        missing = next(value for number, value in enumerate(labels.values()) if number not in set(classes))
        raise InputError(f"{name} has no row with the label {missing!r}; every file needs rows of every class")
    return pd.DataFrame({"id": [f"{name}:{line}" for line in lines], "text": texts, "label": classes.astype("int64")})


def read_columns(path: Path) -> pd.DataFrame:
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        options = {"sep": "\t", "quoting": 3} if path.suffix == ".tsv" else {}
        return pd.read_csv(path, dtype=str, keep_default_na=False, skip_blank_lines=False, index_col=False, **options)
    except UnicodeDecodeError:
        raise InputError(
            f"{path.name}, line {first_undecodable_line(path)}: not UTF-8; save the file as UTF-8"
        ) from None
    except pd.errors.EmptyDataError:
        raise InputError(f"{path.name} is empty; it needs a header line and rows") from None
    except ValueError as error:  # pandas' ParserError and pyarrow's ArrowInvalid are ValueErrors
        raise InputError(f"{path.name}: {' '.join(str(error).split())}") from None


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
