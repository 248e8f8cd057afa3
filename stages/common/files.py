"""Outputs that appear whole or not at all, and digests of inputs."""

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stages.common.command import InputError
from stages.common.locks import alone


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A temporary folder next to `path`, which becomes `path` if the block succeeds and is removed if it fails.

    Raises:
        InputError: another process is writing it.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    with alone(path):
        if temporary.exists():  # left by a killed process
            shutil.rmtree(temporary)
        temporary.mkdir(parents=True)
        try:
            yield temporary
            if path.exists():
                shutil.rmtree(path)
            temporary.replace(path)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A temporary name next to `path`, which becomes `path` if the block succeeds and is removed if it fails.

    Raises:
        InputError: another process is writing it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    with alone(path):
        try:
            yield temporary
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def write_json(path: Path, content: dict) -> None:
    """Write indented JSON with sorted keys, so that a diff shows what changed."""
    with new_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> dict:
    """The content of a JSON file, or an empty mapping if there is no such file."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def home_path(written: str, what: str) -> Path:
    """A path that may begin with `~` or `~user`.

    Raises:
        InputError: there is no such user; `what` is what is to be corrected.
    """
    try:
        return Path(written).expanduser()
    except RuntimeError:
        raise InputError(f"{written}: there is no such home folder; correct {what}") from None


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(paths: Iterable[Path], *values: object) -> str:
    """One SHA-256 over the contents of files and JSON values from which a result is made."""
    made_of = [sha256(path) for path in sorted(paths)], values
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()
