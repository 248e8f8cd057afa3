"""Taking files out of an archive that may be damaged or hostile."""

import errno
import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from stages.lib.command import InputError

DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
)


def extract(archive: Path, wanted: Collection[str], folder: Path) -> None:
    """Take the wanted members, by their names, out of a zip or tar archive.

    Raises:
        InputError: no archive, a broken one, one that lacks a wanted member, or one in which any member has
            an absolute path, climbs with `..`, or is a link or device.
    """
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as file:
                names = {info.filename: info for info in file.infolist()}
                links = {name for name, info in names.items() if info.external_attr >> 28 == 0o12}
                copy_members(archive, names, links, lambda info: file.open(info), wanted, folder)
        elif tarfile.is_tarfile(archive):
            with tarfile.open(archive) as file:
                names = {info.name: info for info in file}
                links = {name for name, info in names.items() if not (info.isfile() or info.isdir())}
                copy_members(archive, names, links, file.extractfile, wanted, folder)
        else:
            raise InputError(
                f"{archive.name} is neither a zip nor a tar archive, or its end is missing; fetch it again"
            )
    except DAMAGE as error:
        # An error number is this machine's, except the one of a seek to where a broken archive points.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        raise InputError(f"{archive.name} is damaged ({error}); fetch it again") from None


def copy_members(
    archive: Path,
    names: dict,
    links: set[str],
    open_member: Callable[..., BinaryIO | None],
    wanted: Collection[str],
    folder: Path,
) -> None:
    for name in names:
        parts = PurePosixPath(name.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or name in links:
            raise InputError(
                f"{archive.name} holds {name!r}, a link or a path out of its folder; do not use this archive"
            )
    for name in wanted:
        source = open_member(names[name]) if name in names else None
        if source is None:  # also for a folder
            raise InputError(f"{archive.name} lacks {name}; fetch it again, or correct the name in params.yaml")
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy)
