"""Corpora that are folders with a text a file, as IMDB's (https://aclanthology.org/P11-1015), made into tables."""

import hashlib
import re
from pathlib import Path, PurePosixPath

import pandas as pd

from stages.common.command import InputError
from stages.corpus.archives import shown

NAME = re.compile(r"(\d+)_\d+\.txt")  # <number>_<stars>.txt
PAGE = re.compile(r"/title/(tt\d+)")  # of a film, in the addresses of its reviews


def wanted_folders(tables: dict[str, dict]) -> list[str]:
    """The folders of an archive that the tables are made of."""
    return [*dict.fromkeys(f"{table['folder']}/{name}/" for table in tables.values() for name in table["classes"])]


def wanted_pages(tables: dict[str, dict]) -> list[str]:
    """The files with the reviews' addresses."""
    return [f"{folder.parent}/urls_{folder.name}.txt" for folder in map(PurePosixPath, wanted_folders(tables))]


def read_folder(root: Path, folder: str, classes: list[str], checksum: str | None) -> pd.DataFrame:
    """A row a file: name (`pos/0_9.txt`), text, label (the name of its folder) and film.

    Line i + 1 of `<folder>/urls_<class>.txt` is the address that the review `i_*.txt` comes from.

    checksum: SHA-256 of the lines `<SHA-256 of a file>  <last part of folder>/<class>/<name>`, by their paths.

    Raises:
        InputError: the files are others, not UTF-8, named otherwise, or without an address of a film.
    """
    rows, digests = [], []
    for path in sorted(file for name in classes for file in (root / folder / name).iterdir()):
        name = f"{path.parent.name}/{path.name}"
        if not NAME.fullmatch(path.name) or path.is_dir():
            raise InputError(
                f"{folder} holds {shown(name)}, expected <number>_<stars>.txt; take the corpus as published"
            )
        content = path.read_bytes()
        rows.append({"name": name, "text": decoded(content, f"{folder}/{name}"), "label": path.parent.name})
        digests.append(f"{hashlib.sha256(content).hexdigest()}  {Path(folder).name}/{name}\n")
    found = hashlib.sha256("".join(digests).encode()).hexdigest()
    if checksum and found != checksum:
        raise InputError(f"{folder}: SHA-256 over its files is {found}, expected {checksum}; fetch it again")
    table = pd.DataFrame(rows)
    addresses = {name: f"{folder}/urls_{name}.txt" for name in classes}
    pages = {name: decoded((root / file).read_bytes(), file).splitlines() for name, file in addresses.items()}
    table["film"] = [film(folder, pages[row["label"]], row) for row in rows]
    return table


def decoded(content: bytes, name: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise InputError(f"{name}: not UTF-8; save it as UTF-8") from None


def film(folder: str, pages: list[str], row: dict) -> str:
    """The film that a row is about, by its page."""
    number = int(NAME.fullmatch(row["name"].partition("/")[2])[1])
    page = PAGE.search(pages[number]) if number < len(pages) else None
    if page is None:
        raise InputError(f"{folder}/urls_{row['label']}.txt, line {number + 1}: no page of a film; fetch it again")
    return page[1]
