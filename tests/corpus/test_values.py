"""A cell is what its file says, in every kind of table, whatever the other rows, blocks and files hold."""

import datetime
import decimal
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import stages.prepare
from stages.corpus import tables
from stages.corpus.rows import read_table
from stages.corpus.tables import read_blocks
from tests.projects import CORPUS, Project

WRITTEN = ["7", "4.5", "true", "1.0", "01", "2024-01-05", str(2**53 + 1), "1e3", "-0", "NULL", "nan", ""]


def cells(path: Path) -> list[str]:
    return [value for block in read_blocks(path, ["cell"]) for value in block["cell"]]


def as_csv(path: Path) -> Path:
    (path / "a.csv").write_text("other,cell\n" + "".join(f"1,{value}\n" for value in WRITTEN))
    return path / "a.csv"


def as_tsv(path: Path) -> Path:
    (path / "a.tsv").write_text("other\tcell\n" + "".join(f"1\t{value}\n" for value in WRITTEN))
    return path / "a.tsv"


def as_strings_of_json(path: Path) -> Path:
    (path / "a.jsonl").write_text("".join(json.dumps({"cell": value}) + "\n" for value in WRITTEN))
    return path / "a.jsonl"


def as_strings_of_parquet(path: Path) -> Path:
    pd.DataFrame({"cell": WRITTEN}).to_parquet(path / "a.parquet")
    return path / "a.parquet"


@pytest.mark.parametrize("rows_of_a_block", [1, 50_000])
@pytest.mark.parametrize("write", [as_csv, as_tsv, as_strings_of_json, as_strings_of_parquet])
def test_texts_keep_their_form(tmp_path, monkeypatch, write, rows_of_a_block):
    monkeypatch.setattr(tables, "ROWS", rows_of_a_block)
    assert cells(write(tmp_path)) == WRITTEN


@pytest.mark.parametrize("rows_of_a_block", [1, 50_000])
def test_numbers_of_json_are_what_is_written(tmp_path, monkeypatch, rows_of_a_block):
    monkeypatch.setattr(tables, "ROWS", rows_of_a_block)
    written = ["7", "4.5", "true", "false", "1.0", str(2**53 + 1), "1e3", "-0", "9" * 5000, "null", "NaN", "Infinity"]
    (tmp_path / "a.jsonl").write_text("".join(f'{{"cell": {value}}}\n' for value in written))
    assert cells(tmp_path / "a.jsonl") == [*written[:-3], "", "", "Infinity"]


NOON = datetime.datetime(2024, 1, 5, 12, 30, tzinfo=datetime.UTC)
HALF = NOON.replace(tzinfo=None, microsecond=500_000)
COLUMNS = {
    "int64": (pa.array([7, None, 2**53 + 1]), ["7", "", "9007199254740993"]),
    "uint64": (pa.array([2**64 - 1], pa.uint64()), ["18446744073709551615"]),
    "double": (pa.array([7, 4.5, None, float("nan"), -0.0, 1e15]), ["7", "4.5", "", "", "0", "1000000000000000"]),
    "double without end": (pa.array([1e300, float("inf")]), ["1e+300", "inf"]),
    "float": (pa.array([0.1, 7], pa.float32()), ["0.1", "7"]),
    "half": (pa.array([1.5, 2, None], pa.float16()), ["1.5", "2", ""]),
    "bool": (pa.array([True, None, False]), ["true", "", "false"]),
    "decimal": (pa.array([decimal.Decimal("1.50")]), ["1.50"]),
    "date": (pa.array([datetime.date(2024, 1, 5)]), ["2024-01-05"]),
    "nanoseconds": (pa.array([HALF], pa.timestamp("ns")), ["2024-01-05 12:30:00.5"]),
    "seconds": (pa.array([NOON], pa.timestamp("s")), ["2024-01-05 12:30:00"]),
    "milliseconds with a zone": (pa.array([NOON], pa.timestamp("ms", "UTC")), ["2024-01-05 12:30:00Z"]),
    "categories": (pa.array(["b", None, "a"]).dictionary_encode(), ["b", "", "a"]),
    "numbers of categories": (pa.array([7.0, None]).dictionary_encode(), ["7", ""]),
    "only gaps": (pa.nulls(2), ["", ""]),
}


@pytest.mark.parametrize("rows_of_a_block", [1, 50_000])
@pytest.mark.parametrize(("column", "expected"), COLUMNS.values(), ids=COLUMNS)
def test_values_of_parquet_are_of_their_columns_type(tmp_path, monkeypatch, column, expected, rows_of_a_block):
    monkeypatch.setattr(tables, "ROWS", rows_of_a_block)
    pq.write_table(pa.table({"cell": column, "other": [[1]] * len(column)}), tmp_path / "a.parquet")
    assert cells(tmp_path / "a.parquet") == expected


def of_users(users: list, path: Path) -> None:
    frame = pd.DataFrame({"text": [f"{path.stem} {row}" for row in range(8)], "label": [0, 1] * 4, "user": users})
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_json(path, orient="records", lines=True)


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("rows_of_a_block", [3, 50_000])
def test_a_user_is_one_whatever_else_is_in_the_block_or_the_file(tmp_path, monkeypatch, kind, rows_of_a_block):
    """pandas writes 7 as 7.0 in a column with gaps or fractions."""
    monkeypatch.setattr(tables, "ROWS", rows_of_a_block)
    of_users([7, 8, 7, 8, 7, 8, 7, 8], tmp_path / f"whole.{kind}")
    of_users([7, 8, 7, 8, 7.5, 8, 7, 8], tmp_path / f"fractions.{kind}")
    of_users([7, 8, 7, 8, None, 8, 7, 8], tmp_path / f"gaps.{kind}")
    files = [f"{name}.{kind}" for name in ("whole", "fractions", "gaps")]
    settings = {"text": "text", "label": "label", "labels": {"a": "0", "b": "1"}, "group": "user"}
    rows = read_table(tmp_path, files, **settings)
    assert rows["group"].value_counts().to_dict() == {"7": 10, "8": 12, "7.5": 1, "": 1}
    assert rows["id"].is_unique


@pytest.mark.parametrize("rows_of_a_block", [3, 50_000])
def test_labels_of_a_floating_point_column_are_whole_numbers(tmp_path, monkeypatch, rows_of_a_block):
    monkeypatch.setattr(tables, "ROWS", rows_of_a_block)
    stars = [1, 5, 1, 5, 1, 4.5, 5]
    pd.DataFrame({"text": [f"t{row}" for row in range(7)], "stars": stars}).to_parquet(tmp_path / "a.parquet")
    labels = {"bad": "1", "good": ["5", "4.5"]}
    rows = read_table(tmp_path, "a.parquet", text="text", label="stars", labels=labels)
    assert rows["label"].tolist() == [0, 1, 0, 1, 0, 1, 1]


def parquet(**columns: object) -> Callable[[Path], None]:
    return lambda path: pq.write_table(pa.table(columns), path)


def lines(*rows: dict) -> Callable[[Path], None]:
    return lambda path: path.write_text("".join(json.dumps(row) + "\n" for row in rows))


GOOD = {"text": "good", "label": 1}
# A name, how it is written, other parameters, and what the sentence names.
NOT_TEXT = {
    "a list": ("a.jsonl", lines(GOOD, GOOD | {"text": ["a", "b"]}), {}, ["line 2", "'text'", "a list"]),
    "an empty list": ("a.jsonl", lines(GOOD | {"text": []}), {}, ["line 1", "'text'", "a list"]),
    "an object": ("a.jsonl", lines(GOOD, GOOD, GOOD | {"text": {"en": "a"}}), {}, ["line 3", "'text'", "an object"]),
    "a list for a label": ("a.jsonl", lines(GOOD | {"label": [1]}), {}, ["line 1", "'label'", "a list"]),
    "a list for a group": (
        "a.jsonl",
        lines(GOOD | {"user": [1]}),
        {"splits.test": {"fraction": 0.5, "seed": 1}, "splits.group_by": "user"},
        ["line 1", "'user'", "a list"],
    ),
    "a column of lists": ("a.parquet", parquet(text=[["a"]], label=[1]), {}, ["line 2", "'text'", "list"]),
    "a column of objects": ("a.parquet", parquet(text=["a"], label=[{"b": 1}]), {}, ["line 2", "'label'", "struct"]),
    "a column of bytes": ("a.parquet", parquet(text=[b"a"], label=[1]), {}, ["line 2", "'text'", "binary"]),
    "a column of durations": (
        "a.parquet",
        parquet(text=["a"], label=[datetime.timedelta(1)]),
        {},
        ["line 2", "'label'", "duration"],
    ),
    "a key twice": (
        "a.jsonl",
        lambda path: path.write_text('{"text": "a", "label": 0, "label": 1}\n'),
        {},
        ["line 1", "'label'", "twice"],
    ),
    "a misspelled key": ("a.jsonl", lines(GOOD, {"text": "a", "Label": 0}), {"columns.label": "Labels"}, ["'Label'?"]),
}


@pytest.mark.parametrize(("name", "write", "changes", "fragments"), NOT_TEXT.values(), ids=NOT_TEXT)
def test_what_is_not_text_is_refused(project: Project, run_here, check, monkeypatch, name, write, changes, fragments):
    monkeypatch.chdir(project.folder)
    write(project.write(f"data/raw/own/{name}", b""))
    project.set("corpora.own.splits", CORPUS["splits"] | dict.fromkeys(("train", "valid", "test"), name))
    for key, value in changes.items():
        project.set(f"corpora.own.{key}", value)
    said = run_here(stages.prepare, corpus="own", raw="data/raw/own", out="data/corpora/own")
    check(said, project.folder / "data/corpora", name, *fragments)


def test_a_column_that_nobody_reads_may_hold_anything(tmp_path):
    other = {"list": [1], "object": {"a": {"a": 1}}, "half": "\ud800", "": None}
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(other | {"cell": row}) + "\n" for row in range(3)))
    assert cells(tmp_path / "a.jsonl") == ["0", "1", "2"]
    table = pa.table([["x"], [b"\xff"], [[1]], ["y"]], ["cell", "bytes", "twice", "twice"])
    pq.write_table(table, tmp_path / "a.parquet")
    assert cells(tmp_path / "a.parquet") == ["x"]
