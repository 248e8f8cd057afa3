"""Tables as people have them become the same rows, whatever wrote them; what is wrong in one is named by its line."""

import gzip
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

TEXTS = ["Un film d’été – très bien", 'so called "art"', "semi; colon, comma\ttab", "🙂 عربي mixed"]
LABELS = [1, 0, 1, 0]
COLUMNS = {"text": "text", "label": "label", "labels": {"negative": "0", "positive": "1"}}


def csv_of_pandas(path: Path) -> dict:
    pd.DataFrame({"text": TEXTS, "label": LABELS}).to_csv(path / "a.csv")
    return {"name": "a.csv"}


def csv_of_a_spreadsheet(path: Path) -> dict:
    """Semicolons, a byte order mark and Windows' line ends."""
    rows = "".join(
        f'"{text.replace(chr(34), chr(34) * 2)}";{label}\r\n' for text, label in zip(TEXTS, LABELS, strict=True)
    )
    (path / "a.csv").write_bytes(b"\xef\xbb\xbf" + f"text;label\r\n{rows}".encode())
    return {"name": "a.csv", "delimiter": ";"}


def json_lines(path: Path) -> dict:
    rows = [json.dumps({"label": label, "text": text}) for text, label in zip(TEXTS, LABELS, strict=True)]
    (path / "a.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return {"name": "a.jsonl"}


def packed_json_lines(path: Path) -> dict:
    json_lines(path)
    (path / "a.jsonl.gz").write_bytes(gzip.compress((path / "a.jsonl").read_bytes()))
    return {"name": "a.jsonl.gz"}


def parquet_of_datasets(path: Path) -> dict:
    """As the library `datasets` writes it: labels are numbers of classes, its own description in the metadata."""
    features = {
        "text": {"dtype": "string", "_type": "Value"},
        "label": {"names": ["neg", "pos"], "_type": "ClassLabel"},
    }
    table = pa.table({"text": TEXTS, "label": pa.array(LABELS, pa.int64())})
    described = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(described, path / "a.parquet", row_group_size=2)
    return {"name": "a.parquet"}


WRITERS = [csv_of_pandas, csv_of_a_spreadsheet, json_lines, packed_json_lines, parquet_of_datasets]


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
@pytest.mark.parametrize("rows_of_a_block", [3, 50_000])
def test_every_kind_of_table_gives_the_same_rows(tmp_path, monkeypatch, write, rows_of_a_block):
    monkeypatch.setattr(tables, "ROWS", rows_of_a_block)
    rows = read_table(tmp_path, **write(tmp_path), **COLUMNS)
    assert rows["text"].tolist() == TEXTS
    assert rows["label"].tolist() == LABELS


def test_windows_1252_is_read_where_it_is_named(tmp_path):
    (tmp_path / "a.csv").write_bytes("text;label\r\nl’été – 5 €;1\r\nmauvais;0\r\n".encode("windows-1252"))
    rows = read_table(tmp_path, "a.csv", encoding="windows-1252", delimiter=";", **COLUMNS)
    assert rows["text"].tolist() == ["l’été – 5 €", "mauvais"]


def test_blocks_are_bounded_and_go_on_counting_lines(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "ROWS", 2)
    (tmp_path / "a.csv").write_text("text,label\na,0\nb,1\nc,0\nd,1\ne,0\n")
    assert [block.index.tolist() for block in read_blocks(tmp_path / "a.csv", ["text"])] == [[2, 3], [4, 5], [6]]


GOOD = b"text,label\ngood one,1\nbad one,0\n"

# A name, what such a file holds, other parameters of the corpus, and what the message names.
FAULTS = {
    "Windows-1252 that is not named": ("a.csv", "text,label\nété,1\n".encode("windows-1252"), {}, ["line 2", "UTF-8"]),
    "an encoding that there is not": ("a.csv", GOOD, {"format.encoding": "utf-9"}, ["'utf-9'"]),
    "another delimiter": ("a.csv", GOOD.replace(b",", b";"), {}, ["'text;label'"]),
    "the header again in the middle": ("a.csv", GOOD + b"text,label\nmore,1\n", {}, ["line 4", "header"]),
    "a column twice": ("a.csv", b"text,label,text\na,1,b\nc,0,d\n", {}, ["line 1", "'text'"]),
    "an open quote": ("a.csv", b'text,label\na,0\n"b,1\nc,1\n', {}, ["a.csv, line 3", "quote"]),
    "lines of an old Mac": ("a.csv", GOOD.replace(b"\n", b"\r"), {}, ["line 1", "carriage return"]),
    "lines of an old Mac in TSV": ("a.tsv", GOOD.replace(b"\n", b"\r"), {}, ["line 1", "carriage return"]),
    "a column that looks the same": (
        "a.csv",
        "t\u00e9xt,label\na,0\n".encode(),
        {"columns": {"text": "te\u0301xt", "label": "label"}},
        ["looks the same", "copy it"],
    ),
    "a label that looks the same": (
        "a.csv",
        "text,label\na,t\u00e9\n".encode(),
        {"labels": {"a": "te\u0301", "b": "1"}},
        ["line 2", "looks the same"],
    ),
    "ratings that are all left out": (
        "a.csv",
        GOOD,
        {"labels": {"a": {"below": 1}, "b": {"from": 1}}, "splits.left_out": ["0", "1"]},
        ["no rating", "splits.left_out"],
    ),
    "a NUL character": ("a.csv", b"text,label\na\0b,0\nc,1\n", {}, ["line 2", "NUL"]),
    "a text of a megabyte": ("a.csv", b"text,label\na,0\n" + b"x" * 10**6 + b",1\n", {}, ["line 3", "100,000"]),
    "a label that is a name": ("a.csv", b"text,label\na,neg\nb,pos\n", {}, ["line 2", "'neg'", "'0' or '1'"]),
    "gzip that is none": ("a.csv.gz", GOOD, {}, ["a.csv.gz", "gzip"]),
    "gzip cut off": ("a.csv.gz", gzip.compress(GOOD * 99)[:-12], {}, ["a.csv.gz", "gzip"]),
    "a kind unknown here": ("a.xlsx", b"PK", {}, ["a.xlsx", ".csv"]),
    "a line that is not JSON": ("a.jsonl", b'{"text": "a", "label": 0}\ntext\n', {}, ["line 2", "JSON"]),
    "a line nested without end": ("a.jsonl", b"[" * 200_000 + b"\n", {}, ["line 1", "JSON"]),
    "half of a character": ("a.jsonl", b'{"text": "\\ud800", "label": 0}\n', {}, ["line 1", "half of a character"]),
    "a text that is null": (
        "a.jsonl",
        b'{"text": "a", "label": 0}\n{"text": null, "label": 1}\n',
        {},
        ["line 2", "empty"],
    ),
    "a label that is null": (
        "a.jsonl",
        b'{"text": "a", "label": "0"}\n{"text": "b", "label": null}\n',
        {},
        ["line 2", "''"],
    ),
    "an encoding that fails always": ("a.csv", GOOD, {"format.encoding": "undefined"}, ["no encoding 'undefined'"]),
    "an encoding of no text": ("a.csv", b"text,label\na,0\n", {"format.encoding": "base64"}, ["no encoding 'base64'"]),
    "UTF-16 without its mark": ("a.csv", b"text,label\na,0\n", {"format.encoding": "utf-16"}, ["not UTF-16"]),
    "a line that is not an object": ("a.jsonl", b'["a", 0]\n', {}, ["line 1", "object"]),
    "an object without a label": ("a.jsonl", b'{"text": "a", "label": 0}\n{"text": "b"}\n', {}, ["line 2", "''"]),
    "a file only named parquet": ("a.parquet", GOOD, {}, ["a.parquet"]),
    "a fraction of too few rows": ("a.csv", GOOD, {"splits.test": {"fraction": 0.1, "seed": 1}}, ["a.csv", "0.1"]),
    "a fraction without a class": (
        "a.csv",
        GOOD,
        {"splits.test": {"fraction": 0.5, "seed": 1, "stratified": False}},
        ["class"],
    ),
    "a group by a column that is not there": (
        "a.csv",
        GOOD,
        {"splits.test": {"fraction": 0.5, "seed": 1}, "splits.group_by": "film"},
        ["'film'"],
    ),
    "the same texts in two splits": ("a.csv", GOOD, {"splits.repeated": "refuse"}, ["a.csv:2", "test"]),
}


@pytest.fixture
def prepare(project: Project, run_here: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run the stage on one table for all splits, or those that other parameters say."""

    def prepare(name: str, content: bytes, **changes: object) -> str:
        monkeypatch.chdir(project.folder)
        project.write(f"data/raw/own/{name}", content)
        project.set("corpora.own.splits", CORPUS["splits"] | {split: name for split in ("train", "valid", "test")})
        for key, value in changes.items():
            project.set(f"corpora.own.{key}", value)
        return run_here(stages.prepare, corpus="own", raw="data/raw/own", out="data/corpora/own")

    return prepare


@pytest.mark.parametrize(("name", "content", "changes", "fragments"), FAULTS.values(), ids=FAULTS)
def test_a_faulty_table_is_refused(project, prepare, check, name, content, changes, fragments):
    check(
        prepare(name, content, **{"training.final_fit": False, **changes}), project.folder / "data/corpora", *fragments
    )


def prepared(project: Project) -> dict[str, pd.DataFrame]:
    return {path.stem: pd.read_parquet(path) for path in (project.folder / "data/corpora/own").iterdir()}


def table(rows: int) -> bytes:
    """Texts by two, each pair the same; a film has ten rows."""
    lines = [f"text {row // 2},{row // 2 % 2},film {row // 10}\n" for row in range(rows)]
    return f"text,label,film\n{''.join(lines)}".encode()


@pytest.mark.parametrize("group_by", [None, "film"])
def test_fractions_hold_together_what_is_alike(project, prepare, group_by):
    shares = {"splits.test": {"fraction": 0.2, "seed": 1}, "splits.valid": {"fraction": 0.25, "seed": 2}}
    grouped = {"splits.group_by": group_by} if group_by else {}
    assert prepare("a.csv", table(200), **shares, **grouped) == ""
    rows = prepared(project)
    assert {split: len(frame) for split, frame in rows.items()} == {"test": 40, "valid": 40, "train": 120}
    kinds = [{int(text.split()[1]) // (5 if group_by else 1) for text in frame["text"]} for frame in rows.values()]
    assert sum(map(len, kinds)) == len(set.union(*kinds))
    ids = [name for frame in rows.values() for name in frame["id"]]
    assert len(set(ids)) == 200


def test_the_same_seed_draws_the_same_rows_and_another_others(project, prepare):
    drawn = []
    for seed in (1, 1, 2):
        assert prepare("a.csv", table(200), **{"splits.test": {"fraction": 0.2, "seed": seed}}) == ""
        drawn.append(prepared(project)["test"]["id"].tolist())
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize(("repeated", "train"), [("keep", 3), ("drop", 2)])
def test_texts_of_test_in_train_are_counted_or_dropped(project, prepare, capsys, repeated, train):
    project.write("data/raw/own/train.csv", b"text,label\ngood one,1\nnew,0\nnewer,1\n")
    files = {"splits.train": "train.csv", "splits.valid": "valid.csv"}
    project.write("data/raw/own/valid.csv", b"text,label\na,1\nb,0\n")
    assert prepare("a.csv", GOOD, **files, **{"splits.repeated": repeated}) == ""
    assert len(prepared(project)["train"]) == train
    assert "warning: texts of train that are also in test or valid: 1" in capsys.readouterr().err


def test_of_the_rows_with_one_text_the_first_stays_those_of_test_before_valids_and_trains(project, prepare, capsys):
    project.write("data/raw/own/test.csv", b"text,label\na,1\nb,0\na,0\n")
    project.write("data/raw/own/valid.csv", b"text,label\nc,0\nd,1\nb,1\n")
    files = {"splits.test": "test.csv", "splits.valid": "valid.csv", "splits.repeated": "keep_first"}
    assert prepare("train.csv", b"text,label\nd,0\ne,0\nf,1\ne,1\n", **files) == ""
    rows = {split: frame["id"].tolist() for split, frame in prepared(project).items()}
    assert rows == {
        "test": ["test.csv:2", "test.csv:3"],
        "valid": ["valid.csv:2", "valid.csv:3"],
        "train": ["train.csv:3", "train.csv:4"],
    }
    warnings = [line.partition(";")[0] for line in capsys.readouterr().err.splitlines()]
    found = {"test": 1, "valid": 1, "train": 2}
    told = [f"rows of {split} whose text is also in an earlier row: {count}" for split, count in found.items()]
    assert warnings == [f"warning: {line}" for line in told]


@pytest.mark.parametrize("rows_of_a_block", [1, 50_000])
def test_the_first_of_a_text_stays_whatever_the_blocks(project, prepare, monkeypatch, rows_of_a_block):
    monkeypatch.setattr(tables, "ROWS", rows_of_a_block)
    files = {"splits.test": "b.csv", "splits.valid": "c.csv", "splits.repeated": "keep_first"}
    for name in ("b", "c"):
        project.write(f"data/raw/own/{name}.csv", f"text,label\n{name},0\n{name}1,1\n".encode())
    assert prepare("a.csv", b"text,label\nx,0\ny,1\nx,1\nz,1\ny,1\n", **files) == ""
    assert prepared(project)["train"]["id"].tolist() == ["a.csv:2", "a.csv:3", "a.csv:5"]


def test_valid_texts_of_a_file_that_a_drawn_test_has_too_are_dropped(project, prepare):
    lines = [f"text {number},{number % 2}\n" for number in range(50)]
    project.write("data/raw/own/valid.csv", f"text,label\n{''.join(lines)}".encode())
    changes = {"splits.test": {"fraction": 0.2, "seed": 1}, "splits.valid": "valid.csv", "splits.repeated": "drop"}
    assert prepare("a.csv", table(200), **changes) == ""
    texts = {split: set(frame["text"]) for split, frame in prepared(project).items()}
    assert 30 < len(texts["valid"]) < 50
    assert not texts["valid"] & texts["test"]


def test_names_of_three_classes_are_numbered_in_their_order(project, prepare):
    labels = {"bad": "neg", "fair": "neutral", "good": "pos"}
    assert prepare("a.csv", b"text,label\na,pos\nb,neg\nc,neutral\n", labels=labels) == ""
    assert prepared(project)["test"]["label"].tolist() == [2, 0, 1]
