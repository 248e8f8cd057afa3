"""The shapes that people's tables come in: packed, in several files, with other headers, ends, quotes and signs."""

import bz2
import gzip
import io
import lzma
import zipfile
from collections import Counter
from collections.abc import Callable

import pandas as pd
import pyarrow as pa
import pytest

import stages.download
import stages.prepare
from stages.corpus.rows import read_table
from stages.corpus.tables import read_blocks
from tests.projects import CORPUS

COLUMNS = {"text": "text", "label": "label", "labels": {"negative": "0", "positive": "1"}}
TABLE = b"text,label\nbad,0\ngood,1\n"
FASTTEXT = b"__label__0 bad film\n__label__1\tgood , film\n"


def zipped(*names: str, content: bytes = TABLE) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name in names:
            file.writestr(name, content)
    return archive.getvalue()


def zstd(content: bytes) -> bytes:
    return pa.compress(content, codec="zstd", asbytes=True)


def encrypted() -> bytes:
    content = bytearray(zipped("a.csv"))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + place] |= 1
    return bytes(content)


def linked() -> bytes:
    archive, link = io.BytesIO(), zipfile.ZipInfo("a.csv")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(link, "/etc/passwd")
    return archive.getvalue()


def announced(size: int) -> bytes:
    """A zip whose member is said to have another size."""
    content = bytearray(zipped("a.csv"))
    place = content.index(b"PK\x01\x02") + 24
    content[place : place + 4] = size.to_bytes(4, "little")
    return bytes(content)


NAMES = {
    "a.csv.gz": gzip.compress(TABLE),
    "a.csv.bz2": bz2.compress(TABLE),
    "a.csv.xz": lzma.compress(TABLE),
    "a.csv.zst": zstd(TABLE),
    "two frames.csv.zst": zstd(TABLE) + zstd(b"worse,0\n"),
    "a.csv.zip": zipped("whatever"),
    "a.zip": zipped("folder/b.csv"),
    "of a Mac.zip": zipped("b.csv", "__MACOSX/._b.csv", ".DS_Store"),
    "a folder and a file.zip": zipped("folder/", "folder/b.csv"),
    "A.CSV": TABLE,
    "A.CSV.GZ": gzip.compress(TABLE),
    "a.Tsv": TABLE.replace(b",", b"\t"),
    "a.ndjson": b'{"text": "bad", "label": 0}\n{"text": "good", "label": 1}\n',
    "a.ft": FASTTEXT,
    "a.ft.txt.bz2": bz2.compress(FASTTEXT),
    "outside.zip": zipped("../../a.csv"),  # nothing is written under that name
}


@pytest.mark.parametrize("name", NAMES)
def test_a_table_is_read_as_its_name_says(tmp_path, name):
    (tmp_path / name).write_bytes(NAMES[name])
    rows = read_table(tmp_path, name, **COLUMNS)
    assert rows["label"].tolist()[:2] == [0, 1]
    assert [text.split()[0] for text in rows["text"]] == ["bad", "good", "worse"][: len(rows)]
    assert rows["id"].tolist()[1] == f"{name}:{2 if '.ft' in name or 'json' in name else 3}"
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_fasttext_lines_are_a_label_and_a_text(tmp_path):
    (tmp_path / "a.txt").write_bytes(FASTTEXT.replace(b"\n", b"\r\n") + b"\n")
    rows = read_table(tmp_path, "a.txt", kind="fasttext", **COLUMNS)
    assert rows["text"].tolist() == ["bad film", "good , film"]
    assert rows["label"].tolist() == [0, 1]


HEADERS = {
    "of empty names": ("a.csv", b"label,text,,,\n0,bad,,,\n1,good,,x,\n"),
    "with an empty name first": ("a.csv", b",text,label\n0,bad,0\n1,good,1\n"),
    "of names that are there twice": ("a.csv", b"score,text,score,label\n1,bad,2,0\n1,good,2,1\n"),
    "of an index that pandas read again": ("a.csv", b"Unnamed: 0,Unnamed: 0,text,label\n0,0,bad,0\n1,1,good,1\n"),
    "of an index that R wrote": ("a.tsv", b"\ttext\tlabel\n1\tbad\t0\n2\tgood\t1\n"),
    "with an index of Parquet": (
        "a.parquet",
        pd.DataFrame({"text": ["bad", "good"], "label": [0, 1]}, index=[7, 9]).to_parquet(),
    ),
    "with a column as an index of Parquet": (
        "a.parquet",
        pd.DataFrame({"text": ["bad", "good"], "label": [0, 1]}).set_index("text").to_parquet(),
    ),
}


@pytest.mark.parametrize(("name", "content"), HEADERS.values(), ids=HEADERS)
def test_columns_that_nobody_reads_may_be_called_anything(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    rows = read_table(tmp_path, name, **COLUMNS)
    assert rows[["text", "label"]].to_numpy().tolist() == [["bad", 0], ["good", 1]]


LINES = b'{"text": "bad", "label": 0}\n{"text": "good", "label": 1}\n'
TAILS = {
    "a blank line": ("a.csv", TABLE + b"\n"),
    "many, with blanks": ("a.csv", TABLE + b"\n\n  \n\t\n"),
    "of Windows": ("a.csv", TABLE.replace(b"\n", b"\r\n") + b"\r\n\r\n"),
    "of commas, as spreadsheets write": ("a.csv", TABLE + b",\n,\n"),
    "of a TSV": ("a.tsv", TABLE.replace(b",", b"\t") + b"\n\t\n"),
    "of JSON": ("a.jsonl", LINES + b"\n \r\n"),
    "without a line feed": ("a.jsonl", LINES + b"  "),
    "of fastText": ("a.ft", FASTTEXT + b"\n"),
    "packed": ("a.jsonl.gz", gzip.compress(LINES + b"\n\n")),
}


@pytest.mark.parametrize(("name", "content"), TAILS.values(), ids=TAILS)
def test_blank_lines_at_the_end_are_skipped(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert read_table(tmp_path, name, **COLUMNS)["label"].tolist() == [0, 1]


@pytest.fixture
def prepare(project, run_here, monkeypatch) -> Callable[..., str]:
    """Download and prepare tables of data/own, by default one for all splits."""

    def prepare(files: dict[str, bytes], splits: dict | None = None, **changes: object) -> str:
        monkeypatch.chdir(project.folder)
        for name, content in files.items():
            project.write(f"data/own/{name}", content)
        splits = splits or dict.fromkeys(("train", "valid", "test"), next(iter(files)))
        described = {"source.files": dict.fromkeys(files), "splits": CORPUS["splits"] | splits}
        for key, value in (described | changes).items():
            project.set(f"corpora.own.{key}", value)
        paths = {"local": "data/own", "downloads": "data/downloads", "out": "data/raw/own"}
        said = run_here(stages.download, corpus="own", **paths)
        return said or run_here(stages.prepare, corpus="own", raw="data/raw/own", out="data/corpora/own")

    return prepare


def rows_of(texts: str) -> bytes:
    return b"text,label\n" + "".join(f"{text},{row % 2}\n" for row, text in enumerate(texts)).encode()


def ids(project) -> dict[str, list[str]]:
    folder = project.folder / "data/corpora/own"
    return {path.stem: pd.read_parquet(path)["id"].tolist() for path in sorted(folder.iterdir())}


def test_a_split_of_several_files_has_the_rows_of_all(project, prepare):
    files = {"a.csv": rows_of("abc"), "more/a.csv.gz": gzip.compress(rows_of("d")), "test.csv": rows_of("ef")}
    splits = {"train": ["a.csv", "more/a.csv.gz"], "valid": "test.csv", "test": ["test.csv"]}
    assert prepare(files, splits, **{"training.final_fit": False}) == ""
    assert ids(project)["train"] == ["a.csv:2", "a.csv:3", "a.csv:4", "more/a.csv.gz:2"]
    assert ids(project)["test"] == ["test.csv:2", "test.csv:3"]


def test_a_share_is_drawn_from_the_rows_of_all_files(project, prepare):
    files = {"a.csv": rows_of("abcdefgh"), "b.csv": rows_of("ijklmnop")}
    share = {"fraction": 0.25, "seed": 1, "stratified": True}
    assert prepare(files, {"train": list(files), "valid": share, "test": share}) == ""
    found = ids(project)
    assert {split: len(names) for split, names in found.items()} == {"test": 4, "train": 8, "valid": 4}
    drawn = [name for names in found.values() for name in names]
    assert sorted(drawn) == sorted(f"{name}:{line}" for name in files for line in range(2, 10))


def test_a_folder_of_parquet_is_a_table(project, prepare):
    parts = [pd.DataFrame({"text": list(text), "label": [0, 1]}).to_parquet() for text in ("ab", "cd")]
    files = {f"train/part-{number}.parquet": part for number, part in enumerate(parts)}
    files |= {"train/_SUCCESS": b"", "train/.part-0.parquet.crc": b"?", "train/part-2.parquet": no_rows()}
    sources = {"source.files": {"train/": None}, "training.final_fit": False}
    assert prepare(files, dict.fromkeys(("train", "valid", "test"), "train/"), **sources) == ""
    expected = [f"train/part-{part}.parquet:{line}" for part in (0, 1) for line in (2, 3)]
    assert ids(project)["train"] == expected


def no_rows() -> bytes:
    return pd.DataFrame({"text": ["a"], "label": [0]})[:0].to_parquet()


QUOTED = b'text\tlabel\n"She said ""no"""\t0\n"one\tlong, ""good"" film"\t1\n'
RAW = b'text\tlabel\n"bad" film\t0\n"good"\t1\n'


def test_quotes_of_a_tsv_are_warned_of_where_all_are_those_of_csv(prepare, capsys):
    quoted = b'text\tlabel\n"She said ""no"""\t0\n"a ""good"" film"\t1\n'
    once = {"training.final_fit": False}
    assert prepare({"a.tsv": quoted}, **once) == ""
    warned = capsys.readouterr().err
    assert "a.tsv: 2 values are in quotes" in warned
    assert r'{delimiter: "\t"}' in warned
    assert prepare({"a.tsv": quoted}, format={"delimiter": "\t"}, **once) == ""
    assert "quotes" not in capsys.readouterr().err
    assert prepare({"a.tsv": RAW}, format={}, **once) == ""
    assert "quotes" not in capsys.readouterr().err


def test_a_tsv_in_quotes_is_read_as_meant_where_the_delimiter_is_named(tmp_path):
    (tmp_path / "a.tsv").write_bytes(QUOTED)
    rows = read_table(tmp_path, "a.tsv", delimiter="\t", **COLUMNS)
    assert rows["text"].tolist() == ['She said "no"', 'one\tlong, "good" film']


def test_quotes_of_a_tsv_are_signs_like_others_without_it(tmp_path):
    (tmp_path / "a.tsv").write_bytes(RAW)
    in_quotes = Counter()
    rows = read_table(tmp_path, "a.tsv", in_quotes=in_quotes, **COLUMNS)
    assert rows["text"].tolist() == ['"bad" film', '"good"']
    assert not in_quotes


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8", "latin-1"])
@pytest.mark.parametrize("name", ["a.tsv", "a.csv", "a.jsonl"])
def test_tables_are_read_in_the_encoding_that_is_named(tmp_path, name, encoding):
    content = {"a.tsv": "cell\nà\nü b\n", "a.csv": "cell\nà\nü b\n", "a.jsonl": '{"cell": "à"}\n{"cell": "ü b"}\n'}
    (tmp_path / name).write_bytes(content[name].encode(encoding))
    [block] = read_blocks(tmp_path / name, ["cell"], encoding=encoding)
    assert block["cell"].tolist() == ["à", "ü b"]


BLANK = b"text,label\na,0\n\nb,1\n"
UTF_16 = "text\tlabel\nà\t0\nb\t1\n"
# The files, their splits or None for the first in all, other parameters, and what the sentence names.
FAULTS = {
    "a blank line in the middle": ({"a.csv": BLANK}, None, {}, ["a.csv, line 3", "blank"]),
    "a row of commas in the middle": ({"a.csv": b"text,label\n,\nb,1\n"}, None, {}, ["line 2", "blank"]),
    "a blank line before the header": ({"a.csv": b"\n" + TABLE}, None, {}, ["a.csv, line 1", "blank"]),
    "a blank line between JSON": ({"a.jsonl": b"\n" + LINES}, None, {}, ["a.jsonl, line 1", "blank"]),
    "a blank line in fastText": ({"a.ft": b"__label__0 a\n\n__label__1 b"}, None, {}, ["line 2", "blank"]),
    "fastText without a label": ({"a.ft": b"__label__0 a\nb\n"}, None, {}, ["a.ft, line 2", "no label"]),
    "fastText with two labels": ({"a.ft": b"__label__0 __label__1 a\n"}, None, {}, ["line 1", "several labels"]),
    "fastText with a label behind": ({"a.ft": b"a __label__1\n"}, None, {}, ["line 1", "no label"]),
    "fastText without a text": ({"a.ft": b"__label__0 a\n__label__1\n"}, None, {}, ["line 2", "text is empty"]),
    "fastText with other columns": ({"a.ft": FASTTEXT}, None, {"columns.text": "review"}, ["'review'", "'text'"]),
    "a delimiter for JSON": ({"a.jsonl": LINES}, None, {"format.delimiter": ";"}, ["jsonl", "remove delimiter"]),
    "Zstandard cut off": ({"a.csv.zst": zstd(TABLE)[:-3]}, None, {}, ["a.csv.zst", "Zstandard"]),
    "xz that is none": ({"a.csv.xz": TABLE}, None, {}, ["a.csv.xz", "xz"]),
    "bzip2 cut off": ({"a.csv.bz2": bz2.compress(TABLE)[:-3]}, None, {}, ["a.csv.bz2", "bzip2"]),
    "zip that is none": ({"a.csv.zip": TABLE}, None, {}, ["a.csv.zip", "zip"]),
    "zip of two files": ({"a.zip": zipped("a.csv", "b.csv")}, None, {}, ["2 files", "'a.csv', 'b.csv'", "unpack"]),
    "zip of no file": ({"a.csv.zip": zipped()}, None, {}, ["0 files"]),
    "zip of a kind unknown here": ({"a.zip": zipped("a.xlsx")}, None, {}, ["a.zip", ".csv"]),
    "zip with a password": ({"a.zip": encrypted()}, None, {}, ["a.zip", "encrypted"]),
    "zip of a link": ({"a.zip": linked()}, None, {}, ["a.zip", "link"]),
    "zip that says another size": ({"a.zip": announced(5)}, None, {}, ["a.zip", "zip"]),
    "packed Parquet": ({"a.parquet.gz": gzip.compress(no_rows())}, None, {}, ["a.parquet.gz", "unpack"]),
    "Parquet cut off": ({"a.parquet": no_rows()[:-9]}, None, {}, ["a.parquet", "again as Parquet"]),
    "UTF-16 that is not named": ({"a.tsv": UTF_16.encode("utf-16")}, None, {}, ["line 1", "but UTF-16", "encoding"]),
    "UTF-16 without its mark": ({"a.tsv": UTF_16.encode("utf-16-le")}, None, {}, ["line 2", "encoding"]),
    "ASCII in UTF-16 without its mark": (
        {"a.tsv": UTF_16.replace("à", "a").encode("utf-16-le")},
        None,
        {},
        ["line 1", "utf-16-le"],
    ),
    "a byte that is not UTF-16": (
        {"a.csv": "text,label\na,0\nb".encode("utf-16") + b"\x00\xd8,\x00"},
        None,
        {"format.encoding": "utf-16"},
        ["line 3", "UTF-16"],
    ),
    "quotes around a line break in TSV": (
        {"a.tsv": b'text\tlabel\n"a\nb"\t0\n'},
        None,
        {},
        ["line 2", r'{delimiter: "\t"}'],
    ),
    "quotes around a TSV's names": ({"a.tsv": b'"text"\t"label"\n"a"\t"0"\n'}, None, {}, ["line 1", r'"\t"']),
    "several files of which one is empty of a class": (
        {"a.csv": TABLE, "b.csv": b"text,label\nc,0\n"},
        {"train": ["b.csv"], "valid": "a.csv", "test": "a.csv"},
        {},
        ["b.csv has no row", "'1'"],
    ),
    "a file named twice": (
        {"a.csv": TABLE},
        {"train": ["a.csv", "a.csv"], "valid": "a.csv", "test": "a.csv"},
        {},
        ["splits.train", "different"],
    ),
    "a file named in two ways": (
        {"a.csv": TABLE},
        {"train": ["a.csv", "./a.csv"], "valid": "a.csv", "test": "a.csv"},
        {},
        ["a.csv twice"],
    ),
    "a file and its folder": (
        {"parts/a.csv": TABLE},
        {"train": ["parts/", "parts/a.csv"], "valid": "parts/a.csv", "test": "parts/a.csv"},
        {"source.files": {"parts/": None}},
        ["parts/a.csv twice"],
    ),
    "a folder in a folder": (
        {"parts/a.csv": TABLE, "parts/more/b.csv": TABLE},
        dict.fromkeys(("train", "valid", "test"), "parts/"),
        {"source.files": {"parts/": None}},
        ["data/own/parts/more is a folder in parts/", "unread"],
    ),
    "no file": (
        {"a.csv": TABLE},
        {"train": [], "valid": "a.csv", "test": "a.csv"},
        {},
        ["splits.train", "one or more"],
    ),
    "sentences among files": (
        {"a.csv": TABLE},
        {"train": "a.csv", "valid": ["a.csv", "sentences"], "test": "a.csv"},
        {},
        ["splits.valid.1", "a file"],
    ),
    "a file that is not fetched": (
        {"a.csv": TABLE},
        {"train": ["a.csv", "b.csv"], "valid": "a.csv", "test": "a.csv"},
        {},
        ["b.csv", "source.files"],
    ),
    "a folder without a slash": (
        {"parts/a.csv": TABLE},
        dict.fromkeys(("train", "valid", "test"), "parts"),
        {"source.files": {"parts/": None}},
        ["parts", "source.files"],
    ),
    "a folder's SHA-256": (
        {"parts/a.csv": TABLE},
        dict.fromkeys(("train", "valid", "test"), "parts/"),
        {"source.files": {"parts/": "0" * 64}},
        ["parts/ is a folder", "null"],
    ),
    "a folder that is not there": (
        {"a.csv": TABLE},
        dict.fromkeys(("train", "valid", "test"), "parts/"),
        {"source.files": {"parts/": None}},
        ["data/own/parts", "put it there"],
    ),
}


@pytest.mark.parametrize(("files", "splits", "changes", "fragments"), FAULTS.values(), ids=FAULTS)
def test_a_shape_that_is_none_is_refused(project, prepare, check, files, splits, changes, fragments):
    said = prepare(files, splits, **{"training.final_fit": False} | changes)
    check(said, project.folder / "data/corpora", *fragments)
