"""Which labels are a class: one or several a class, others left out, and what may differ in how they are written."""

import json
from collections import Counter
from pathlib import Path

import pytest

import stages.describe
import stages.prepare
from stages.corpus.rows import read_table
from tests.encoders import SPECIAL_PIECES, tokenizer_of
from tests.projects import CORPUS

STARS = ["1", "2", "4", "5", "3", "1", "", "5"]
COLUMNS = {"text": "text", "label": "stars"}
TWO = {"low": ["1", "2"], "high": ["4", "5"]}


def table_of(stars: list[str]) -> bytes:
    return ("text,stars\n" + "".join(f'text {row},"{value}"\n' for row, value in enumerate(stars))).encode()


def json_of(stars: list[str]) -> bytes:
    rows = [{"text": f"text {row}", "stars": int(value) if value else None} for row, value in enumerate(stars)]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


@pytest.mark.parametrize(("name", "write"), [("a.csv", table_of), ("a.jsonl", json_of)])
@pytest.mark.parametrize("labels", [TWO, {"low": [1, 2], "high": [4, "5"]}], ids=["in quotes", "numbers"])
def test_a_class_has_several_values_and_others_are_left_out(tmp_path, name, write, labels):
    (tmp_path / name).write_bytes(write(STARS))
    left_out = Counter()
    rows = read_table(tmp_path, name, labels=labels, left_out_labels=["3", ""], left_out=left_out, **COLUMNS)
    assert rows["label"].tolist() == [0, 0, 1, 1, 0, 1]
    assert rows["text"].tolist() == [f"text {row}" for row in (0, 1, 2, 3, 5, 7)]
    assert left_out == {name: 2}


def test_a_row_that_is_left_out_may_lack_a_text(tmp_path):
    (tmp_path / "a.csv").write_text("text,stars\na,1\n,-1\nb,2\n")
    rows = read_table(tmp_path, "a.csv", labels={"x": "1", "y": "2"}, left_out_labels=["-1"], **COLUMNS)
    assert rows["id"].tolist() == ["a.csv:2", "a.csv:4"]


def test_ratings_in_words_are_left_out_where_they_are_named(tmp_path):
    (tmp_path / "a.csv").write_bytes(table_of(["1.5", "n/a", "3", " 4 ", "2"]))
    labels, left_out = {"low": {"below": 2}, "high": {"above": 3}}, Counter()
    rows = read_table(tmp_path, "a.csv", labels=labels, left_out_labels=["n/a", 2], left_out=left_out, **COLUMNS)
    assert rows["label"].tolist() == [0, 1]
    assert left_out == {"a.csv": 3}


@pytest.mark.parametrize(
    ("ignored", "values"),
    [
        (["case"], ["Good", "GOOD", "bad", "BAD", "Neutral"]),
        (["blanks"], [" good", "good\u00a0", "bad\t", "bad", "neutral "]),
        (["case", "blanks"], [" Good", "gOOd ", "bad", " BAD", "NEUTRAL "]),
    ],
)
def test_differences_that_are_named_do_not_count(tmp_path, ignored, values):
    (tmp_path / "a.csv").write_bytes(table_of(values))
    labels = {"bad": "bad", "good": "good"}
    ignoring = {"ignore_in_labels": ignored, "left_out_labels": ["neutral"]}
    assert read_table(tmp_path, "a.csv", labels=labels, **ignoring, **COLUMNS)["label"].tolist() == [1, 1, 0, 0]


@pytest.fixture
def prepare(project, run_here, monkeypatch):
    """Run the stage on one table for all splits."""

    def prepare(content: bytes, **changes: object) -> str:
        monkeypatch.chdir(project.folder)
        project.write("data/raw/own/a.csv", content)
        described = {"splits": CORPUS["splits"] | dict.fromkeys(("train", "valid", "test"), "a.csv")}
        for key, value in (described | {"columns": COLUMNS, "labels": TWO} | changes).items():
            project.set(f"corpora.own.{key}", value)
        return run_here(stages.prepare, corpus="own", raw="data/raw/own", out="data/corpora/own")

    return prepare


def test_rows_that_are_left_out_are_counted_in_the_log_and_in_the_description(project, prepare, run_here, capsys):
    assert prepare(table_of(STARS), **{"splits.left_out": ["3", ""]}) == ""
    assert "splits.left_out in corpora/: 2 of a.csv; they are left out" in capsys.readouterr().err
    project.write("tokenizer/tokenizer.json", tokenizer_of(*SPECIAL_PIECES, "text").encode())
    paths = {"raw": "data/raw/own", "rows": "data/corpora/own", "tokenizer": "tokenizer", "out": "corpus.json"}
    assert run_here(stages.describe, corpus="own", encoder="minilm", **paths) == ""
    described = json.loads(Path("corpus.json").read_text())
    assert described["left_out"] == {"a.csv": 2}
    assert described["splits"]["train"]["labels"] == {"low": 3, "high": 3}


IGNORING = {"format": {"ignore_in_labels": ["case", "blanks"]}}
FAULTS = {
    "a label of no class": (STARS, {}, ["line 6", "'3'", "'1' or '2' or '4' or '5'", "splits.left_out"]),
    "other case": (["Low", "high"], {"labels": {"a": "low", "b": "high"}}, ["line 2", "'Low'", "ignore_in_labels"]),
    "a blank behind": (["1", "5 "], {}, ["line 3", "'5 '", "ignore_in_labels"]),
    "a blank before what is left out": (["1", "5", " 3"], {"splits.left_out": ["3"]}, ["line 4", "ignore_in_labels"]),
    "a point behind a number": (["1", "5.0"], {}, ["line 3", "'5.0'", "'5'"]),
    "no row of a class of several": (["1", "2"], {}, ["a.csv has no row", "'4' or '5'"]),
    "a value of two classes": (STARS, {"labels": {"a": ["1", "2"], "b": "2"}}, ["'2'", "both a and b"]),
    "a value of two classes but for its case": (
        STARS,
        IGNORING | {"labels": {"a": "Yes", "b": ["no", "yes "]}},
        ["'yes '", "both a and b"],
    ),
    "a value of a class and left out": (STARS, {"splits.left_out": ["1"]}, ["'1'", "low", "splits.left_out"]),
    "values and ranges of several": (STARS, {"labels": {"a": ["1"], "b": {"above": 1}}}, ["labels mixes"]),
    "a class of no value": (STARS, {"labels": {"a": [], "b": "1"}}, ["labels.a", "one or more"]),
    "a class of one value twice": (STARS, {"labels": {"a": ["1", "1"], "b": "2"}}, ["labels.a", "different"]),
    "left out without a list": (STARS, {"splits.left_out": "3"}, ["splits.left_out", "a list"]),
    "left out unquoted": (STARS, {"splits.left_out": [None]}, ["splits.left_out.0", "in quotes"]),
    "another difference": (STARS, {"format": {"ignore_in_labels": ["accents"]}}, ["ignore_in_labels.0", "blanks"]),
}


@pytest.mark.parametrize(("stars", "changes", "fragments"), FAULTS.values(), ids=FAULTS)
def test_labels_that_do_not_fit_are_refused(project, prepare, check, stars, changes, fragments):
    check(prepare(table_of(stars), **changes), project.folder / "data/corpora", *fragments)
