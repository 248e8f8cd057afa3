"""What a model reads: a folder of rows, and `input.json`, which says how a text becomes such a row."""

import json
from pathlib import Path

from stages.common import files

NAME = "input.json"
PADDING, UNKNOWN = 0, 1  # ids that are not a word's: what fills a batch, and a word that is not in the vocabulary


def write_input(folder: Path, *, kind: str, files_to_keep: list[str], arguments: dict, **about: object) -> None:
    """Describe a folder of rows.

    kind: `words`, `wordpieces` or `features`, as `stages/serving/networks.py` reads texts.
    files_to_keep: what reading a text needs later; a training copies these files to its own folder.
    arguments: what a model has to know of its input, passed to its constructor.
    """
    files.write_json(folder / NAME, {"kind": kind, "files": files_to_keep, "arguments": arguments, **about})


def read_input(folder: Path) -> dict:
    return json.loads((folder / NAME).read_text(encoding="utf-8"))
