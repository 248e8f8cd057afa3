"""What a file is by its name, and files as people pack them: by gzip, bzip2, xz, Zstandard, or alone in a zip."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

import pyarrow as pa

from stages.common.command import InputError
from stages.corpus.archives import UNPACKED, Bounded, shown, too_large, zip_members

KINDS = {
    ".tsv": "tsv",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".ft": "fasttext",
    ".ft.txt": "fasttext",
}
OPENERS = {
    "": partial(open, mode="rb"),
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".zst": lambda path: pa.input_stream(str(path), compression="zstd"),
}
PACKINGS = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "Zstandard", ".zip": "zip"}
DAMAGE = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError, pa.ArrowInvalid)


def packing_of(name: str) -> str:
    """The end of a file's name that says how it is packed, or nothing."""
    return next((packing for packing in PACKINGS if name.lower().endswith(packing)), "")


def unpacked(name: str) -> str:
    """A file's name without that."""
    return name[: len(name) - len(packing_of(name))]


def kind_of(name: str) -> str | None:
    """What the end of a name says that a table is."""
    return next((kind for end, kind in KINDS.items() if name.lower().endswith(end)), None)


@contextmanager
def opened(path: Path) -> Iterator[tuple[str | None, IO[bytes]]]:
    """The kind of table that a file's name says, or that of the file in a zip, and its content while the block lasts.

    Raises:
        InputError: damaged; or a zip that holds another number of files than one, a link, an encrypted or an endless
            file. Nothing of it is written to the disk, so that its members' paths do not matter.
    """
    packing, kind = packing_of(path.name), kind_of(unpacked(path.name))
    try:
        if packing == ".zip":
            with Bounded(io.FileIO(path)) as file, zipfile.ZipFile(file) as archive:
                member = only_member(path, archive)
                with archive.open(member) as content:
                    yield kind or kind_of(member.filename), content
        else:
            with OPENERS[packing](path) as content:
                yield kind, content
    except DAMAGE as error:
        if not packing or getattr(error, "errno", None) is not None:  # this machine's
            raise
        reason = " ".join(str(error).split())[:200]
        found = f"{path.name} is not a whole {PACKINGS[packing]} file ({reason})"
        raise InputError(f"{found}; pack it again, or drop {packing} from its name") from None


def only_member(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    # A Mac adds a member of its own to each file.
    members = [member for member in zip_members(path, archive) if not member.is_folder and not is_of_mac(member.name)]
    if len(members) != 1:
        names = ", ".join(shown(member.name) for member in members[:3]) or "none"
        raise InputError(
            f"{path.name} holds {len(members)} files ({names}), expected one; unpack it and name its files in corpora/"
        )
    [member] = members
    if not member.is_plain:
        raise InputError(f"{path.name} holds {shown(member.name)}, a link; pack the file itself")
    if member.source.flag_bits & 1:
        raise InputError(f"{path.name} holds {shown(member.name)} encrypted; pack it without a password")
    if member.size > UNPACKED:
        raise too_large(path)
    return member.source


def is_of_mac(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.endswith(".DS_Store")
