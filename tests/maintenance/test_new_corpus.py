"""`make corpus`: a person's table becomes a corpus that the pipeline builds, or nothing and a sentence."""

import gzip
import io
import json
import lzma
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml

import stages.prepare
from maintenance import new_corpus
from maintenance.corpus_files import SIZES, class_names, corpus_text, run_text
from stages.common import params
from stages.corpus.rows import read_table, table_settings
from tests.bad_input import refused
from tests.commands import run, run_here, stage_command
from tests.copies import copy_project
from tests.projects import REPOSITORY, only, read_params

ARGUMENTS = {"NAME": "mine", "TEXT": "Review", "LABEL": "Rating"}
RATINGS = ("low", "middle", "high")


def table(rows: int = 90, ratings: tuple[str, ...] = RATINGS) -> pd.DataFrame:
    """Texts that name their class; every two are of one product."""
    labels = [ratings[row % len(ratings)] for row in range(rows)]
    texts = [f"A {label} one; by the way, é {row}" for row, label in enumerate(labels)]
    return pd.DataFrame({"Review": texts, "Rating": labels, "product": [row // 2 for row in range(rows)]})


def csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Write a table outside of an empty project and make a corpus of it; what is said when that ends in an error."""
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")

    def make(name: str = "reviews.csv", content: bytes | None = None, **changes: str) -> str:
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        given = ARGUMENTS | {"FILE": str(path)} | changes
        return run_here(new_corpus, *(f"{key}={value}" for key, value in given.items()))

    return make


def rows_of(name: str) -> pd.DataFrame:
    corpus = params.corpus(name)
    return read_table(Path("data", name), corpus["splits"]["train"], **table_settings(corpus))


def test_all_that_is_written_is_what_the_pipeline_takes(make, tmp_path, capsys):
    assert make(content=csv(table()), GROUP="product") == ""
    said = capsys.readouterr().out
    assert Path("data/mine/reviews.csv").read_bytes() == (tmp_path / "reviews.csv").read_bytes()
    shutil.copy(REPOSITORY / "params.yaml", "params.yaml")
    shutil.copy("runs/mine.yaml", "run.yaml")
    everything = params.load()
    assert everything["run"]["corpora"] == ["mine"]
    corpus = everything["corpora"]["mine"]
    assert corpus["labels"] == {"high": "high", "low": "low", "middle": "middle"}
    blocks = stages.prepare.read_splits(corpus["splits"], table_settings(corpus), Path("data/mine"))
    splits = {split: pd.concat(of_split) for split, of_split in blocks.items()}
    assert ", ".join(f"{split} {len(splits[split])}" for split in ("train", "test", "valid")) in said
    assert "high ('high') 30, low ('low') 30, middle ('middle') 30" in said
    assert len(set.union(*(set(split["group"]) for split in splits.values()))) == 45
    assert sum(split["group"].nunique() for split in splits.values()) == 45
    assert "make repro RUN=mine" in said


def test_a_rare_class_is_in_every_split(make):
    ratings = ["rare"] * 10 + ["usual"] * 290
    frame = pd.DataFrame({"Review": [f"text {row}" for row in range(300)], "Rating": ratings})
    assert make(content=csv(frame)) == ""
    corpus = params.corpus("mine")
    for blocks in stages.prepare.read_splits(corpus["splits"], table_settings(corpus), Path("data/mine")).values():
        assert pd.concat(blocks)["label"].nunique() == 2


def packed(content: bytes) -> bytes:
    return gzip.compress(content)


def json_lines(frame: pd.DataFrame) -> bytes:
    return frame.to_json(orient="records", lines=True, force_ascii=False).encode()


FORMATS = {
    "commas": ("a.csv", csv, {}),
    "semicolons": ("a.csv", lambda frame: frame.to_csv(sep=";", index=False).encode("utf-8-sig"), {"delimiter": ";"}),
    "tabs in CSV": ("a.csv", lambda frame: frame.to_csv(sep="\t", index=False).encode(), {"delimiter": "\t"}),
    "upright lines": ("a.csv", lambda frame: frame.to_csv(sep="|", index=False).encode(), {"delimiter": "|"}),
    "tabs": ("a.tsv", lambda frame: frame.to_csv(sep="\t", index=False).encode(), {}),
    "commas in TSV": ("a.tsv", csv, {"delimiter": ","}),
    "packed": ("a.csv.gz", lambda frame: packed(frame.to_csv(sep=";").encode()), {"delimiter": ";"}),
    "JSON lines": ("a.jsonl", json_lines, {}),
    "packed JSON lines": ("a.jsonl.gz", lambda frame: packed(json_lines(frame)), {}),
    "Parquet": ("a.parquet", lambda frame: frame.to_parquet(), {}),
    "Windows-1252": (
        "a.csv",
        lambda frame: frame.to_csv(sep=";").encode("windows-1252"),
        {"delimiter": ";", "encoding": "windows-1252"},
    ),
}


def in_fasttext(frame: pd.DataFrame) -> bytes:
    return "".join(f"__label__{row.Rating} {row.Review}\n" for row in frame.itertuples()).encode()


def in_zip(frame: pd.DataFrame) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("folder/a.csv", csv(frame))
    return archive.getvalue()


def in_quotes(frame: pd.DataFrame, end: str = "") -> bytes:
    said = frame.assign(Review=[f'She said "{text}"{end}' for text in frame["Review"]])
    return said.to_csv(sep="\t", index=False).encode()


FORMATS |= {
    "fastText": ("a.ft", in_fasttext, {}),
    "fastText by another name": ("a.txt", in_fasttext, {"kind": "fasttext"}),
    "a zip": ("a.zip", in_zip, {}),
    "capitals": ("A.CSV", lambda frame: frame.to_csv(sep=";", index=False).encode(), {"delimiter": ";"}),
    "xz": ("a.tsv.xz", lambda frame: lzma.compress(csv(frame)), {"delimiter": ","}),
    "tabs in UTF-16, as spreadsheets write": (
        "a.tsv",
        lambda frame: frame.to_csv(sep="\t", index=False).encode("utf-16"),
        {"encoding": "utf-16"},
    ),
    "quotes in TSV": ("a.tsv", in_quotes, {"delimiter": "\t"}),
    "line breaks in quotes in TSV": ("a.tsv", lambda frame: in_quotes(frame, "\nThe end"), {"delimiter": "\t"}),
}


@pytest.mark.parametrize(("name", "write", "expected"), FORMATS.values(), ids=FORMATS)
def test_the_format_is_found(make, name, write, expected):
    given = {"ENCODING": "windows-1252"} if expected.get("encoding") == "windows-1252" else {}
    given |= {"TEXT": "text", "LABEL": "label"} if write is in_fasttext else {}
    assert make(name, write(table()), **given) == ""
    assert params.corpus("mine")["format"] == expected
    texts = rows_of("mine")["text"].str.removeprefix('She said "').str.removesuffix("\nThe end").str.removesuffix('"')
    assert texts.tolist() == table()["Review"].tolist()


def test_a_folder_of_tables_is_one_table(make, tmp_path):
    frame = table()
    (tmp_path / "parts").mkdir()
    for part, rows in enumerate((frame[:50], frame[50:])):
        rows.to_parquet(tmp_path / f"parts/part-{part}.parquet")
    (tmp_path / "parts/_SUCCESS").touch()
    assert make("parts/") == ""
    assert sorted(path.name for path in Path("data/mine/parts").iterdir()) == ["part-0.parquet", "part-1.parquet"]
    assert params.corpus("mine")["source"]["files"] == {"parts/": None}
    assert rows_of("mine")["text"].tolist() == frame["Review"].tolist()


def test_values_that_are_written_in_several_ways_are_one_class(make, capsys):
    ratings = ["good"] * 20 + ["Good", "good ", "GOOD"] + ["1"] * 20 + ["1.0"] * 5 + ["bad"] * 20
    frame = pd.DataFrame({"Review": [f"text {row}" for row in range(len(ratings))], "Rating": ratings})
    assert make(content=csv(frame)) == ""
    assert params.corpus("mine")["labels"] == {
        "class1": ["1", "1.0"],
        "bad": "bad",
        "good": ["good", "Good", "good ", "GOOD"],
    }
    assert "good ('good' or 'Good' or 'good ' or 'GOOD') 23" in capsys.readouterr().out
    assert rows_of("mine")["label"].value_counts().to_dict() == {0: 25, 2: 23, 1: 20}


def test_values_that_look_alike_are_one_class(make):
    ratings = ["caf\u00e9"] * 20 + ["cafe\u0301"] * 5 + ["good"] * 20 + ["good\u200b", "\ufeffgood", "good\u00a0"]
    frame = pd.DataFrame({"Review": [f"text {row}" for row in range(len(ratings))], "Rating": ratings})
    assert make(content=csv(frame)) == ""
    labels = params.corpus("mine")["labels"]
    assert labels["café"] == ["caf\u00e9", "cafe\u0301"]
    assert labels["good"] == ["good", "good\u200b", "\ufeffgood", "good\u00a0"]
    assert rows_of("mine")["label"].value_counts().to_dict() == {0: 25, 1: 23}


def test_labels_are_left_out_however_they_are_written(make, capsys):
    assert make(content=csv(ODD), LEFT_OUT="n/a,?,") == ""
    assert params.corpus("mine")["splits"]["left_out"] == ["n/a", "N/A", "?", ""]
    assert "left out 'n/a' 1, 'N/A' 1, '?' 1, '' 1" in capsys.readouterr().out
    assert rows_of("mine")["text"].tolist() == table()["Review"].tolist()[4:]


def test_labels_of_blanks_are_left_out_as_empty_ones(make):
    assert make(content=changed(3, "Rating", "  "), LEFT_OUT="") == ""
    assert len(rows_of("mine")) == 89


VALUES = ("no", "1", "-1", 'é: "x"', "null", "~", "# high", "{}", "it's\nlow", "🙂", "2024-01-01", "1e3")


def test_values_and_columns_stay_the_texts_they_are(make):
    columns = {"Review": 'Text: "raw", [a]', "Rating": "no\nrating", "product": "*yes"}
    given = {"TEXT": columns["Review"], "LABEL": columns["Rating"], "GROUP": columns["product"]}
    frame = table(rows=360, ratings=VALUES).rename(columns=columns)
    assert make("null: #1, 'a'.csv", csv(frame), **given) == ""
    corpus = params.corpus("mine")
    assert set(corpus["labels"].values()) == set(VALUES)
    assert all(isinstance(name, str) for name in corpus["labels"])
    assert corpus["splits"]["group_by"] == "*yes"
    rows = rows_of("mine")
    assert rows["text"].tolist() == frame[columns["Review"]].tolist()
    assert [list(corpus["labels"].values())[label] for label in rows["label"]] == frame[columns["Rating"]].tolist()


def test_numbers_that_are_classes_are_in_their_order(make):
    frame = table(rows=440, ratings=tuple(map(str, range(11)))).astype({"Rating": float})
    assert make("a.parquet", frame.to_parquet()) == ""
    assert list(params.corpus("mine")["labels"].values()) == [str(rating) for rating in range(11)]


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (["neg", "pos"], ["neg", "pos"]),
        (["1", "-1", "0"], ["minus1", "class0", "class1"]),
        (["10", "9", "None"], ["class9", "class10", "none"]),
        (["Très bien!", "  pas -- bon "], ["pas_bon", "très_bien"]),
        (["अच्छा", "好"], ["अच्छा", "好"]),
        (["🙂", "🙁", "2"], ["class2", "class", "class22"]),
        (["a", "A", "a!", "a 1"], ["a", "a1", "a12", "a3"]),
    ],
)
def test_classes_get_plain_names(values, names):
    found = class_names(values)
    assert sorted(found) == sorted(names)
    assert sorted(found.values()) == sorted(values)


@pytest.mark.parametrize("rows", [size[0] - 1 for size in SIZES[:-1]] + [10**7])
def test_corpora_of_every_size_have_settings(rows, tmp_path):
    described = {"file": "a.csv", "text": "text", "label": "label", "group": None, "format": {}}
    described |= {"labels": {"a": "a", "b": "b"}, "left_out": [], "test": 0.2, "valid": 0.1, "seed": 1}
    (tmp_path / "corpora").mkdir()
    (tmp_path / "corpora/mine.yaml").write_text(corpus_text("mine", rows, **described))
    (tmp_path / "run.yaml").write_text(run_text("mine", rows))
    shutil.copy(REPOSITORY / "params.yaml", tmp_path)
    run_as_it_is = read_params(REPOSITORY)["run"]
    chosen = params.load(tmp_path)["run"]
    assert list(chosen) == list(run_as_it_is)
    assert list(chosen["models"]) == list(run_as_it_is["models"])


def changed(row: int, column: str, value: str) -> bytes:
    frame = table()
    frame.loc[row, column] = value
    return csv(frame)


NUMBERS = pd.DataFrame({"Review": [f"text {row}" for row in range(100)], "Rating": [row / 7 for row in range(100)]})
ONE_TEXT = pd.DataFrame({"Review": ["the same"] * 40, "Rating": ["a", "b"] * 20})
ONE_PRODUCT = table(rows=88).assign(product=lambda frame: frame["Rating"])

ODD = table().assign(Rating=lambda frame: ["?", "n/a", "", "N/A", *frame["Rating"][4:]])

# A name, what such a file holds (None: it is not there), other arguments, and what the sentence names.
FAULTS = {
    "no label column is named": ("a.csv", csv(table()), {"LABEL": ""}, ["LABEL is missing", "make corpus NAME=mine"]),
    "a name in capitals": ("a.csv", csv(table()), {"NAME": "Mine"}, ["'Mine'", "lower-case"]),
    "a name that leaves the folder": ("a.csv", csv(table()), {"NAME": "../mine"}, ["'../mine'"]),
    "a name of the pipeline": ("a.csv", csv(table()), {"NAME": "words"}, ["'words'", "no folder of the pipeline"]),
    "a file that is not there": ("a.csv", None, {}, ["there is no file", "a.csv"]),
    "a folder in a folder": (".", None, {"FILE": ".."}, ["project is a folder in", "unread"]),
    "a folder of nothing": (".", None, {"FILE": "."}, ["project/ holds no table"]),
    "a column that is there twice": (
        "a.csv",
        b"Review,Rating,Rating\na,b,c\n",
        {},
        ["line 1", "2 columns", "'Rating'"],
    ),
    "a blank line in the middle": ("a.csv", csv(table()).replace(b"\n", b"\n\n", 2), {}, ["a.csv, line 2", "blank"]),
    "a file of a kind unknown here": ("a.xlsx", b"PK", {}, ["a.xlsx", ".csv"]),
    "a file name on two lines": ("a\nb.csv", csv(table()), {}, ["'a\\nb.csv'", "rename"]),
    "a column that is not there": ("a.csv", csv(table()), {"TEXT": "Reviw"}, ["'Reviw'", "did you mean 'Review'?"]),
    "a group that is not there": ("a.csv", csv(table()), {"GROUP": "film"}, ["'film'", "has 'Review', 'Rating'"]),
    "one class": ("a.csv", csv(table(ratings=("low",))), {}, ["'Rating'", "'low'", "two classes"]),
    "a label column of texts": ("a.csv", csv(table()), {"TEXT": "Rating", "LABEL": "Review"}, ["90 different values"]),
    "one column as text and label": ("a.csv", csv(table()), {"LABEL": "Review"}, ["'Review'", "TEXT", "two columns"]),
    "one column as group and label": ("a.csv", csv(table()), {"GROUP": "Rating"}, ["'Rating'", "GROUP"]),
    "a home folder of nobody": ("a.csv", None, {"FILE": "~no_such_user/a.csv"}, ["~no_such_user", "FILE"]),
    "a device": ("a.csv", None, {"FILE": "/dev/null"}, ["no file /dev/null"]),
    "a backslash first": ("\\a.csv", csv(table()), {}, ["backslash", "rename"]),
    "an encoding that fails always": ("a.csv", csv(table()), {"ENCODING": "undefined"}, ["'undefined'"]),
    "a label column of numbers": ("a.csv", csv(NUMBERS), {}, ["'Rating'", "100 different values", "cut points"]),
    "a class of nine rows": ("a.csv", csv(table(29)), {}, ["need 10 rows", "'high' (9)", "LEFT_OUT=high"]),
    "several labels of few rows": ("a.csv", csv(ODD), {"LEFT_OUT": ""}, ["'?' (1), 'n/a' (2)", "LEFT_OUT=',?,n/a'"]),
    "many labels of few rows": ("a.csv", csv(NUMBERS[:40].round()), {}, ["'0.0' (4)", "and 2 others", "cut points"]),
    "a label of few rows that has a comma": (
        "a.csv",
        changed(3, "Rating", "a, b"),
        {},
        ["'a, b' (1)", "add rows, or name"],
    ),
    "a label to leave out that is not there": ("a.csv", csv(table()), {"LEFT_OUT": "lo"}, ["'lo'", "no such 'Rating'"]),
    "all but one label left out": ("a.csv", csv(table()), {"LEFT_OUT": "low,high"}, ["every 'Rating' is 'middle'"]),
    "all labels left out": ("a.csv", csv(table()), {"LEFT_OUT": "low,middle,high"}, ["no rows but those", "LEFT_OUT"]),
    "an empty label": ("a.csv", changed(3, "Rating", " "), {}, ["a.csv, line 5", "label is empty", "LEFT_OUT="]),
    "an empty text": ("a.csv", changed(3, "Review", " "), {}, ["a.csv, line 5", "text is empty"]),
    "a header alone": ("a.csv", b"Review,Rating\n", {}, ["a.csv has no rows"]),
    "an empty file": ("a.csv", b"", {}, ["a.csv is empty"]),
    "Windows-1252 that is not named": ("a.csv", csv(table()).decode().encode("cp1252"), {}, ["line 2", "ENCODING="]),
    "an encoding that there is not": ("a.csv", csv(table()), {"ENCODING": "utf-9"}, ["'utf-9'"]),
    "an encoding of no text": ("a.csv", csv(table()), {"ENCODING": "base64"}, ["'base64'"]),
    "gzip that is none": ("a.csv.gz", csv(table()), {}, ["a.csv.gz", "gzip"]),
    "gzip cut off": ("a.csv.gz", gzip.compress(csv(table()))[:-12], {}, ["a.csv.gz", "gzip"]),
    "an endless line": ("a.csv", b"x" * 10**6 + b"\ny\n", {}, ["a.csv needs one column 'Review'"]),
    "labels of bytes": ("a.parquet", table().assign(Rating=b"\xff").to_parquet(), {}, ["a.parquet", "'Rating'"]),
    "one text in all rows": ("a.csv", csv(ONE_TEXT), {}, ["a.csv cannot be split", "share a text or"]),
    "a group to each class": ("a.csv", csv(ONE_PRODUCT), {"GROUP": "product"}, ["a.csv cannot be split", "'product'"]),
}


@pytest.mark.parametrize(("name", "content", "changes", "fragments"), FAULTS.values(), ids=FAULTS)
def test_what_cannot_be_a_corpus_leaves_only_a_sentence(make, check, tmp_path, name, content, changes, fragments):
    check(make(name, content, **changes), tmp_path / "project", *fragments)


@pytest.mark.parametrize("path", ["corpora/mine.yaml", "runs/mine.yaml", "data/mine/reviews.csv"])
def test_what_is_there_stays_as_it_is(make, path):
    Path(path).parent.mkdir(parents=True)
    Path(path).write_text("mine")
    refused(make(content=csv(table())), Path("none"), f"there already, and left as is: {path}; remove")
    assert [file for file in Path().rglob("*") if file.is_file()] == [Path(path)]
    assert Path(path).read_text() == "mine"


def test_what_cannot_be_written_leaves_nothing(make):
    Path("runs").write_text("no folder")
    refused(make(content=csv(table())), Path("none"), "runs")
    assert [file for file in Path().rglob("*") if file.is_file()] == [Path("runs")]


def test_a_table_that_lies_in_its_place_is_taken_there(make, capsys):
    Path("data/mine").mkdir(parents=True)
    Path("data/mine/a.csv").write_bytes(csv(table()))
    assert make(FILE="data/mine/a.csv") == ""
    assert "copied" not in capsys.readouterr().out
    assert len(rows_of("mine")) == 90


def test_three_commands_from_a_table_to_an_answer(tmp_path, monkeypatch):
    """Whatever signs are in what a person calls things, and whatever the environment calls NAME."""
    project, own = tmp_path / "project", tmp_path / "it's $1.csv"
    copy_project(project)
    labels = {"Review": 'What\'s "said", $(shell id)?', "Rating": "Rating: $1"}
    table(rows=300).rename(columns=labels).to_csv(own, index=False, sep=";")
    monkeypatch.setenv("NAME", "host")
    monkeypatch.setenv("GROUP", "host")

    arguments = [f"FILE={own}", f"TEXT={labels['Review']}", f"LABEL={labels['Rating']}"]
    said = run(project, "make", "corpus", "NAME=mine", *arguments)
    assert "train 210, test 60, valid 30" in said
    chosen = yaml.safe_load((project / "runs/mine.yaml").read_text())
    assert chosen["run"]["models"] == only(
        ngrams=["tfidf"], pooled=["average"], features=["bigru"], finetuning=["finetuned"]
    )
    chosen["run"]["models"] = only(ngrams=["tfidf"], pooled=["average"])
    chosen["run"] |= {key: [] for key in ("encoders", "frozen_encoders", "finetuned_encoders", "teachers")}
    (project / "runs/mine.yaml").write_text(yaml.safe_dump(chosen))
    run(project, "git", "init", "-q")
    run(project, "make", "repro", "RUN=mine")
    assert json.loads((project / "metrics/mine/average.json").read_text())["test"]["accuracy"] > 0.9
    answer = run(project, *stage_command("predict", "A high one", corpus="mine"))
    assert json.loads(answer)["label"] == "high"
