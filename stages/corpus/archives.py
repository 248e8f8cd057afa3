"""Taking files out of an archive that may be damaged or hostile."""

import errno
import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import pairwise
from pathlib import Path, PureWindowsPath
from typing import IO, NamedTuple

from stages.common.command import InputError

MEMBERS = 200_000  # in an archive; IMDB's has 100,500
UNPACKED = 8 << 30  # bytes; GloVe's archive, the largest that is fetched here, unpacks to 2.2 GB
DIRECTORY = 32 << 20  # bytes of a zip's list of members, which is read into memory
LONG_NAME = 1 << 16  # bytes of what a tar says of one member beyond its header, likewise
BLOCK = 1 << 14  # bytes read at a time: bzip2's and LZMA's, in a zip, grow thousandfold before we see them

DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
    OSError,
)


class Member(NamedTuple):
    name: str
    is_plain: bool  # a file or a folder
    is_folder: bool
    size: int  # as the archive has it
    source: zipfile.ZipInfo | tarfile.TarInfo


def extract(archive: Path, wanted: Collection[str], folder: Path) -> None:
    """Take the wanted members, by their names, out of a zip or tar archive; of a name that ends in "/", all below it.

    Nothing is written before every member has been looked at. A tar is read twice at most, front to back.

    Raises:
        InputError: no archive, a broken one, one that lacks a wanted member, has it twice or encrypted, has more
            than `MEMBERS` members, unpacks to more than `UNPACKED`, or in which any member has an absolute path,
            climbs with `..`, overlaps another, or is a link or device.
    """
    try:
        with Bounded(io.FileIO(archive)) as file:
            if zipfile.is_zipfile(file):
                with zipfile.ZipFile(file) as opened:
                    copy_members(archive, zip_members(archive, opened), opened.open, wanted, folder)
                return
        with open_tar(archive) as opened:
            copy_members(archive, tar_members(archive, opened), opened.extractfile, wanted, folder)
    except DAMAGE as error:
        # An error number is this machine's, except the one of a seek to where a broken archive points.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{archive.name} is damaged ({reason}); fetch it again") from None


class Bounded(io.BufferedReader):
    """A file of which nothing as long as a zip's list of millions of members is read at once."""

    def read(self, size: int = -1, /) -> bytes:
        if size > DIRECTORY:
            raise zipfile.BadZipFile(f"its list of members has {size:,} bytes")
        return super().read(size)


class Header(tarfile.TarInfo):
    """A tar's header; one that announces a name of gigabytes is refused before they are read."""

    @classmethod
    def frombuf(cls, *block: object) -> "Header":
        header = super().frombuf(*block)
        if header.size < 0 or (header.size > LONG_NAME and not header.isfile()):
            raise tarfile.TarError(f"a header of {header.size:,} bytes")
        return header


def open_tar(archive: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(archive, tarinfo=Header)
    except tarfile.ReadError:
        raise InputError(
            f"{archive.name} is neither a zip nor a tar archive, or its end is missing; fetch it again"
        ) from None


def zip_members(archive: Path, file: zipfile.ZipFile) -> Iterator[Member]:
    infos = sorted(file.infolist(), key=lambda info: info.header_offset)
    for info, following in pairwise(infos):
        if info.header_offset + zipfile.sizeFileHeader + info.compress_size > following.header_offset:
            raise InputError(
                f"{archive.name} holds {shown(info.filename)} and {shown(following.filename)} in the same bytes, "
                "as bombs do; do not use this archive"
            )
    for info in infos:
        is_plain = stat.S_IFMT(info.external_attr >> 16) in (0, stat.S_IFREG, stat.S_IFDIR)
        yield Member(info.filename, is_plain, info.filename.endswith("/"), info.file_size, info)


def tar_members(archive: Path, file: tarfile.TarFile) -> Iterator[Member]:
    last = -1
    while info := file.next():
        file.members.clear()  # it would keep them all
        if info.offset_data <= last:
            raise tarfile.ReadError("a header that points back")
        last = info.offset_data
        if last + info.size > UNPACKED:  # before that is unpacked only to be skipped
            raise too_large(archive)
        is_plain = info.isdir() or (info.isfile() and not info.issparse())
        yield Member(info.name, is_plain, info.isdir(), info.size, info)


def copy_members(
    archive: Path,
    members: Iterable[Member],
    open_member: Callable[..., IO[bytes]],
    wanted: Collection[str],
    folder: Path,
) -> None:
    wanted = dict.fromkeys(wanted)
    folders = tuple(name for name in wanted if name.endswith("/"))
    targets = set()  # names that differ may be one path
    found = {}  # in the archive's order, so that a tar is read front to back
    for number, member in enumerate(members, 1):
        path = PureWindowsPath(member.name)  # it knows the slash, the backslash and drives
        if path.anchor or ".." in path.parts or not member.is_plain:
            raise InputError(
                f"{archive.name} holds {shown(member.name)}, a link, a device or a path out of its folder; "
                "do not use this archive"
            )
        if number > MEMBERS:
            raise InputError(f"{archive.name} holds more than {MEMBERS:,} members; do not use this archive")
        if (member.name in wanted or member.name.startswith(folders)) and not member.is_folder:
            if folder / member.name in targets:
                raise InputError(f"{archive.name} holds {shown(member.name)} twice; do not use this archive")
            found[member.name] = member
            targets.add(folder / member.name)
    for name in wanted:
        if name not in found and not (name in folders and any(member.startswith(name) for member in found)):
            raise InputError(f"{archive.name} lacks {name}; fetch it again, or correct its name")
    for name, member in found.items():
        if getattr(member.source, "flag_bits", 0) & 1:
            raise InputError(f"{archive.name} holds {shown(name)} encrypted; use an archive without a password")
    left = UNPACKED
    for name, member in found.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with open_member(member.source) as source, target.open("wb") as copy:
            while block := source.read(BLOCK):
                left -= len(block)
                if left < 0:
                    raise too_large(archive)
                copy.write(block)
            if copy.tell() != member.size:
                raise EOFError(f"{name} has {copy.tell():,} bytes, not {member.size:,}")


def too_large(archive: Path) -> InputError:
    return InputError(f"{archive.name} unpacks to more than {UNPACKED >> 30} GiB; do not use this archive")


def shown(name: str) -> str:
    """A name that may be of any length and hold any character, for a message."""
    return repr(name if len(name) <= 80 else f"{name[:80]}…")
