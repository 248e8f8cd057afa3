"""Corpora that are folders with a text a file: made into tables, verified, and the real IMDB where there is one."""

import hashlib
import io
import os
import tarfile
from pathlib import Path

import pandas as pd
import pytest

from stages import download, prepare

MIRROR = Path(os.environ.get("DATA_MIRROR") or "nowhere")
FILES = {
    "neg/0_2.txt": "Dull.<br />No.",
    "neg/1_1.txt": "Grau und naß.",
    "pos/0_9.txt": "Grün!",
    "pos/10_8.txt": "Good.",
    "unsup/0_0.txt": "Neither.",
}
PAGES = {
    "neg": ["http://www.imdb.com/title/tt01/usercomments", "http://www.imdb.com/title/tt02/usercomments"],
    "pos": ["http://www.imdb.com/title/tt02/usercomments"] * 11,
}


def lines_of(files: dict[str, bytes], folder: str = "train") -> str:
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return "".join(f"{digests[name]}  {folder}/{name}\n" for name in sorted(digests))


@pytest.fixture
def fetch(project, run_here, monkeypatch):
    """Put files into an archive in a mirror, and run `download`; what it says, and the folder it makes."""

    def fetch(changes: dict[str, bytes | None] | None = None, checksum: str | None = None) -> tuple[str, Path]:
        members = {f"x/train/{name}": text.encode() for name, text in FILES.items()}
        members |= {f"x/train/urls_{name}.txt": "\n".join(lines).encode() for name, lines in PAGES.items()}
        members |= {f"x/train/{name}": content for name, content in (changes or {}).items()}
        with tarfile.open(project.folder / "x.tar.gz", "w:gz") as archive:
            for name, content in members.items():
                if content is not None:
                    header = tarfile.TarInfo(name)
                    header.size = len(content)
                    archive.addfile(header, io.BytesIO(content))
        table = {"folder": "x/train", "classes": ["neg", "pos"], "checksum": checksum}
        source = {"address": "https://example.com/x.tar.gz", "tables": {"train.parquet": table}}
        source["files"] = dict.fromkeys(["x/train/urls_neg.txt", "x/train/urls_pos.txt"])
        project.set("corpora.own.source", source)
        monkeypatch.chdir(project.folder)
        monkeypatch.setenv("DATA_MIRROR", str(project.folder))
        options = {"local": "data/own", "downloads": "data/downloads", "out": "data/raw/own"}
        return run_here(download, corpus="own", **options), project.folder / "data/raw"

    return fetch


def test_a_text_a_file_becomes_a_row_with_its_label_and_film(fetch):
    of_classes = {name: text.encode() for name, text in FILES.items() if not name.startswith("unsup")}
    checksum = hashlib.sha256(lines_of(of_classes).encode()).hexdigest()
    said, folder = fetch(checksum=checksum)
    assert said == ""
    table = pd.read_parquet(folder / "own/train.parquet")
    assert table.to_dict("list") == {
        "name": ["neg/0_2.txt", "neg/1_1.txt", "pos/0_9.txt", "pos/10_8.txt"],
        "text": [FILES[name] for name in ("neg/0_2.txt", "neg/1_1.txt", "pos/0_9.txt", "pos/10_8.txt")],
        "label": ["neg", "neg", "pos", "pos"],
        "film": ["tt01", "tt02", "tt02", "tt02"],
    }
    files = {path.name for path in folder.rglob("*") if path.is_file()}
    assert files == {"train.parquet", "urls_neg.txt", "urls_pos.txt"}


FAULTS = {
    "another text": ({"neg/0_2.txt": b"Other."}, "0" * 64, "SHA-256 over its files"),
    "a file of another name": ({"neg/readme.txt": b"x"}, None, "x/train holds 'neg/readme.txt'"),
    "not UTF-8": ({"neg/1_1.txt": b"\xe9"}, None, "x/train/neg/1_1.txt: not UTF-8"),
    "a review without an address": ({"pos/11_9.txt": b"x"}, None, "urls_pos.txt, line 12"),
    "an address of no film": ({"urls_neg.txt": b"http://example.com/\n"}, None, "urls_neg.txt, line 1"),
    "addresses that are not UTF-8": ({"urls_pos.txt": b"\xe9"}, None, "x/train/urls_pos.txt: not UTF-8"),
    "no addresses": ({"urls_pos.txt": None}, None, "lacks x/train/urls_pos.txt"),
    "a name of two lines": ({"neg/a\nb.txt": b"x"}, None, "holds 'neg/a\\nb.txt'"),
    "a folder in a class's": ({"neg/sub/1_1.txt": b"x"}, None, "holds 'neg/sub'"),
    "a file twice": ({"neg//0_2.txt": b"x"}, None, "twice"),
    "no folder of a class": ({"pos/0_9.txt": None, "pos/10_8.txt": None}, None, "lacks x/train/pos/"),
}


@pytest.mark.parametrize(("changes", "checksum", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_in_a_folder_of_texts_is_named(fetch, check, changes, checksum, message):
    said, folder = fetch(changes, checksum)
    check(said, folder, message)


@pytest.mark.skipif(
    not (MIRROR / "aclImdb_v1.tar.gz").is_file(), reason="DATA_MIRROR names no folder that holds aclImdb_v1.tar.gz"
)
def test_the_real_imdb_has_its_rows_and_no_film_and_no_text_on_two_sides(tmp_path, run_here):
    raw, rows = tmp_path / "raw", tmp_path / "rows"
    assert run_here(download, corpus="imdb", local="data/imdb", downloads=tmp_path / "downloads", out=raw) == ""
    assert run_here(prepare, corpus="imdb", raw=raw, out=rows) == ""
    tables = {split: pd.read_parquet(raw / f"{split}.parquet") for split in ("train", "test")}
    assert {split: table["label"].value_counts().to_dict() for split, table in tables.items()} == {
        split: {"neg": 12_500, "pos": 12_500} for split in tables
    }
    assert {split: table["text"].nunique() for split, table in tables.items()} == {"train": 24_904, "test": 24_801}
    splits = {path.stem: pd.read_parquet(path) for path in rows.iterdir()}
    assert {split: len(table) for split, table in splits.items()} == {"train": 22_394, "valid": 2_483, "test": 25_000}
    lines = {split: table["id"].str.rpartition(":")[2].astype(int) - 2 for split, table in splits.items()}
    films = {split: set(tables["train"]["film"].iloc[lines[split]]) for split in ("train", "valid")}
    assert not films["train"] & films["valid"]
    texts = {split: set(table["text"]) for split, table in splits.items()}
    assert not texts["train"] & texts["valid"] and not texts["test"] & (texts["train"] | texts["valid"])
