"""Ratings become classes by cut points, in tables with a header line and without one."""

import gzip
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import stages.describe
import stages.prepare
from stages.corpus import tables
from stages.corpus.rows import read_table
from tests.bad_input import refused
from tests.encoders import SPECIAL_PIECES, tokenizer_of
from tests.projects import CORPUS, Project

RATINGS = ["-1.5", "0.0", "2e-1", "+3", "0", "-.25"]
TEXTS = [f'"text {number}' for number in range(6)]  # a TSV's quotes are signs like others
COLUMNS = {"text": "text", "label": "rating"}
AROUND_0 = {"negative": {"below": 0}, "positive": {"above": 0}}


def headerless_tsv(folder: Path) -> dict:
    lines = [
        f"{number}\t{rating}\t{text}\r\n" for number, (rating, text) in enumerate(zip(RATINGS, TEXTS, strict=True))
    ]
    (folder / "a.txt").write_bytes("".join(lines).encode())
    return {"name": "a.txt", "kind": "tsv", "header": ["number", "rating", "text"]}


def packed_headerless_csv(folder: Path) -> dict:
    frame = pd.DataFrame({"text": TEXTS, "rating": RATINGS})
    (folder / "a.csv.gz").write_bytes(gzip.compress(frame.to_csv(sep=";", index=False, header=False).encode()))
    return {"name": "a.csv.gz", "delimiter": ";", "header": ["text", "rating"]}


def json_lines_of_another_name(folder: Path) -> dict:
    rows = [{"text": text, "rating": float(rating)} for text, rating in zip(TEXTS, RATINGS, strict=True)]
    (folder / "a.json").write_text("\n".join(map(json.dumps, rows)))
    return {"name": "a.json", "kind": "jsonl"}


def parquet(folder: Path) -> dict:
    pd.DataFrame({"text": TEXTS, "rating": pd.Series(RATINGS, dtype="float32")}).to_parquet(folder / "a.parquet")
    return {"name": "a.parquet"}


FIRST_LINES = {headerless_tsv: 1, packed_headerless_csv: 1, json_lines_of_another_name: 1, parquet: 2}


@pytest.mark.parametrize("rows_of_a_block", [1, 50_000])
@pytest.mark.parametrize("write", FIRST_LINES, ids=lambda write: write.__name__)
def test_rows_between_the_ranges_are_left_out_of_every_kind_of_table(tmp_path, monkeypatch, write, rows_of_a_block):
    monkeypatch.setattr(tables, "ROWS", rows_of_a_block)
    left_out, described = Counter(), write(tmp_path)
    rows = read_table(tmp_path, labels=AROUND_0, left_out=left_out, **described, **COLUMNS)
    name, first = described["name"], FIRST_LINES[write]
    assert rows["text"].tolist() == [TEXTS[row] for row in (0, 2, 3, 5)]
    assert rows["label"].tolist() == [0, 1, 1, 0]
    assert rows["id"].tolist() == [f"{name}:{first + row}" for row in (0, 2, 3, 5)]
    assert left_out == {name: 2}


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ({"a": {"below": 2}, "b": {"from": 2}}, [0, 0, 1, 1]),
        ({"a": {"to": 2}, "b": {"above": 2}}, [0, 0, 0, 1]),
        ({"a": {"above": 1, "below": 3}, "b": {"from": 3, "to": 3}}, [None, None, 0, 1]),
        ({"b": {"from": 2}, "a": {"to": 1.0}}, [1, 1, 0, 0]),
        ({"a": {"to": 0}, "b": {"from": 1, "to": 1}, "c": {"above": 1}}, [0, 1, 2, 2]),
    ],
)
def test_only_from_and_to_belong_to_their_ranges(tmp_path, labels, classes):
    (tmp_path / "a.csv").write_text("text,rating\nt0,0\nt1,1\nt2,2.0\nt3,3\n")
    rows = read_table(tmp_path, "a.csv", labels=labels, **COLUMNS)
    assert dict(zip(rows["text"], rows["label"], strict=True)) == {
        f"t{row}": number for row, number in enumerate(classes) if number is not None
    }


@pytest.fixture
def prepare(project: Project, run_here: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run the stage on one table for all splits, of ratings around 0."""

    def prepare(name: str, content: bytes, **changes: object) -> str:
        monkeypatch.chdir(project.folder)
        project.write(f"data/raw/own/{name}", content)
        described = {"splits": CORPUS["splits"] | dict.fromkeys(("train", "valid", "test"), name)}
        described |= {"columns": COLUMNS, "labels": AROUND_0}
        for key, value in (described | changes).items():
            project.set(f"corpora.own.{key}", value)
        return run_here(stages.prepare, corpus="own", raw="data/raw/own", out="data/corpora/own")

    return prepare


def csv_of(*ratings: str) -> bytes:
    return b"rating,text\n-1,bad\n1,good\n" + "".join(f'"{rating}",x\n' for rating in ratings).encode()


def test_what_is_left_out_is_counted_in_a_warning_and_in_the_corpus_description(project, prepare, run_here, capsys):
    assert prepare("a.csv", csv_of("0", "0.0", "-3", "2")) == ""
    warnings = [line for line in capsys.readouterr().err.splitlines() if "ranges" in line]
    reason = "between the ranges of labels or under splits.left_out in corpora/"
    assert warnings == [f"warning: rows whose label is {reason}: 2 of a.csv; they are left out"]
    project.write("tokenizer/tokenizer.json", tokenizer_of(*SPECIAL_PIECES, "good").encode())
    paths = {"raw": "data/raw/own", "rows": "data/corpora/own", "tokenizer": "tokenizer", "out": "corpus.json"}
    assert run_here(stages.describe, corpus="own", encoder="minilm", **paths) == ""
    described = json.loads(Path("corpus.json").read_text())
    assert described["left_out"] == {"a.csv": 2}
    assert described["files"]["train"] == described["splits"]["train"]["rows"] == 4
    assert described["splits"]["train"]["labels"] == {"negative": 2, "positive": 2}


HEADER = {"format": {"header": ["rating", "text"]}}
BELOW = {"labels": {"negative": {"below": 0}, "middle": {"from": 0, "to": 5}, "positive": {"above": 5}}}

# A name, what such a file holds, other parameters of the corpus, and what the message names.
FAULTS = {
    "a rating in words": ("a.csv", csv_of("3", "three"), {}, ["line 5", "'three'", "a number"]),
    "a rating that is nan": ("a.csv", csv_of("nan"), {}, ["line 4", "'nan'"]),
    "a rating without end": ("a.csv", csv_of("1e999"), {}, ["line 4", "'1e999'"]),
    "an empty rating": ("a.csv", csv_of(" "), {}, ["line 4", "''"]),
    "a decimal comma": ("a.csv", csv_of("3,5"), {}, ["line 4", "'3,5'", "-0.5"]),
    "another alphabet's digits": ("a.csv", csv_of("٣"), {}, ["line 4", "'٣'"]),
    "a gap among ratings": (
        "a.parquet",
        pd.DataFrame({"rating": [-1, 1, None], "text": ["a", "b", "c"]}).to_parquet(),
        {},
        ["a.parquet, line 4", "''"],
    ),
    "cut points beyond the ratings": ("a.csv", csv_of("4.5"), BELOW, ["'positive'", "-1 to 4.5", "cut points"]),
    "a header where none should be": ("a.csv", csv_of(), HEADER, ["a.csv, line 1", "header"]),
    "a row with more fields than names": ("a.csv", b"1,a\n-1,b,c\n", HEADER, ["line 2", "3 fields", "format.header"]),
    "no rows and no header": ("a.csv", b"", HEADER, ["a.csv has no rows"]),
    "a header for JSON lines": ("a.jsonl", b"{}\n", HEADER, ["a.jsonl", "remove header"]),
    "a header for Parquet": ("a.parquet", b"PAR1", HEADER, ["a.parquet", "remove header"]),
    "names without the label's": (
        "a.csv",
        b"1,a\n",
        {"format": {"header": ["stars", "text"]}},
        ["'rating'", "'stars'"],
    ),
}


@pytest.mark.parametrize(("name", "content", "changes", "fragments"), FAULTS.values(), ids=FAULTS)
def test_a_faulty_table_of_ratings_is_refused(project, prepare, check, name, content, changes, fragments):
    check(prepare(name, content, **changes), project.folder / "data/corpora", *fragments)


# What labels or format is, and what the message names.
DESCRIPTIONS = {
    "values and ranges": ("labels", {"a": "0", "b": {"above": 0}}, ["labels mixes"]),
    "ranges that overlap": ("labels", {"a": {"to": 0}, "b": {"from": 0}}, ["labels.a and labels.b overlap"]),
    "a range in another": ("labels", {"a": {"from": 0, "to": 9}, "b": {"from": 3, "below": 4}}, ["overlap"]),
    "a range that ends before it begins": ("labels", {"a": {"below": 0}, "b": {"above": 3, "to": 1}}, ["labels.b"]),
    "a range of one number without it": ("labels", {"a": {"from": 0, "below": 0}, "b": {"above": 1}}, ["labels.a"]),
    "a range of two beginnings": (
        "labels",
        {"a": {"above": 0, "from": 1}, "b": {"below": 0}},
        ["labels.a", "above or"],
    ),
    "a range without ends": ("labels", {"a": {}, "b": {"below": 0}}, ["labels.a", "a range"]),
    "an end in quotes": ("labels", {"a": {"above": "0"}, "b": {"below": 0}}, ["labels.a.above", "a number"]),
    "an end that is not a number": ("labels", {"a": {"above": float("nan")}, "b": {"below": 0}}, ["labels.a.above"]),
    "an unknown end": ("labels", {"a": {"abov": 0}, "b": {"below": 0}}, ["'abov'", "did you mean 'above'"]),
    "a fraction for a class": ("labels", {"a": 4.5, "b": {"below": 0}}, ["labels.a", "in quotes", "a range"]),
    "true for a class": ("labels", {"a": ["1", True], "b": "0"}, ["labels.a.1", "in quotes"]),
    "a column named twice": ("format", {"header": ["a", "a"]}, ["format.header", "different"]),
    "a kind unknown here": ("format", {"kind": "xlsx"}, ["format.kind", "'xlsx'", "parquet"]),
}


@pytest.mark.parametrize(("key", "value", "fragments"), DESCRIPTIONS.values(), ids=DESCRIPTIONS)
def test_ranges_and_formats_that_make_no_sense_are_refused(project, prepare, check, key, value, fragments):
    check(prepare("a.csv", csv_of(), **{key: value}), project.folder / "data/corpora", "corpora/own.yaml", *fragments)


def test_an_end_beyond_the_numbers_of_a_computer_is_refused(project, prepare):
    said = prepare("a.csv", csv_of(), labels={"a": {"above": 10**400}, "b": {"below": 0}})
    refused(f"{said}\n", project.folder / "data/corpora", "labels.a.above", "a number")
