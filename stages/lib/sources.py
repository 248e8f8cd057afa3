"""Getting public files: from their address or a mirror, resumed, taken out of their archive, verified."""

import os
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from tqdm import tqdm
from urllib3 import Retry

from stages.lib import files
from stages.lib.command import InputError

ATTEMPTS = 5
TIMEOUT = 30  # seconds without a byte
BLOCK = 1 << 20


def fetch(address: str, downloads: Path) -> Path:
    """The file behind a public https address, as a local path.

    `DATA_MIRROR` in the environment, a folder or an address prefix, is asked in place of the public host
    for a file of the same name. A download that was broken off goes on where it stopped; it lies in
    `downloads` until the caller removes it.

    Raises:
        InputError: the mirror lacks the file, the address is not https, or the host cannot be reached.
    """
    name = PurePosixPath(urlsplit(address).path).name
    mirror = os.environ.get("DATA_MIRROR", "")
    if mirror and "://" not in mirror:
        path = Path(mirror) / name
        if not path.is_file():
            raise InputError(
                f"DATA_MIRROR={mirror} holds no {name}; put it there, or unset DATA_MIRROR to fetch {address}"
            )
        return path
    source = f"{mirror.rstrip('/')}/{name}" if mirror else address
    downloads.mkdir(parents=True, exist_ok=True)
    path = downloads / name
    try:
        download(source, path)
    except requests.RequestException as error:
        raise InputError(
            f"{source} could not be fetched ({type(error).__name__}); check the network and its proxy, "
            f"or set DATA_MIRROR to a folder or address that holds {name}"
        ) from None
    return path


def download(address: str, path: Path) -> None:
    """Write what lies at an address to `path`; a broken download stays as `<path>.part` and is resumed.

    Raises:
        requests.RequestException: nothing came after `ATTEMPTS` attempts, or the host refused.
        InputError: the address, or one it redirects to, is neither https nor on this machine.
    """
    partial = path.with_name(path.name + ".part")
    session = requests.Session()
    session.mount(
        "https://",
        HTTPAdapter(max_retries=Retry(ATTEMPTS, backoff_factor=0.5, status_forcelist=(429, 500, 502, 503, 504))),
    )
    for attempt in range(1, ATTEMPTS + 1):
        try:
            receive(session, address, partial)
            break
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
            if attempt == ATTEMPTS:
                raise
    partial.replace(path)


def receive(session: requests.Session, address: str, partial: Path) -> None:
    """Append to a partial file what it still lacks, or start again where the host cannot resume."""
    have = partial.stat().st_size if partial.exists() else 0
    with session.get(
        address, stream=True, timeout=TIMEOUT, headers={"Range": f"bytes={have}-", "Accept-Encoding": "identity"}
    ) as response:
        for hop in [*response.history, response]:
            parts = urlsplit(hop.url)
            if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
                raise InputError(f"{address} leads to {hop.url}, which is not https; give an https address")
        if response.status_code == 416:  # nothing left to send, or not the file this part is of
            partial.unlink()
            raise requests.ConnectionError("the partial file does not fit; starting again")
        response.raise_for_status()
        resumed = response.status_code == 206
        total = int(response.headers.get("Content-Length", 0)) + have * resumed
        bar = tqdm(
            desc=partial.stem, total=total or None, initial=have * resumed, unit="B", unit_scale=True, disable=None
        )
        with partial.open("ab" if resumed else "wb") as file, bar:
            for block in response.iter_content(BLOCK):
                file.write(block)
                bar.update(len(block))
    if total and partial.stat().st_size != total:
        raise requests.ConnectionError("the connection closed early")


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
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{archive.name} is damaged ({error}); fetch it again") from None


def copy_members(
    archive: Path,
    names: dict,
    links: set[str],
    open_member: Callable[..., BinaryIO],
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
        if name not in names:
            raise InputError(f"{archive.name} lacks {name}; fetch it again, or correct the name in params.yaml")
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with open_member(names[name]) as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy, BLOCK)


def verify(folder: Path, checksums: dict[str, str | None]) -> None:
    """Compare the content of files with their SHA-256; a file without one passes.

    Raises:
        InputError: a file's content is another one.
    """
    for name, expected in checksums.items():
        found = files.sha256(folder / name)
        if expected and found != expected:
            raise InputError(
                f"{name} has SHA-256 {found}, expected {expected}; "
                "fetch it again, or correct params.yaml if the change is meant"
            )
