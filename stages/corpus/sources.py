"""Getting public files: from their address or a mirror, resumed and verified."""

import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path, PurePosixPath
from urllib.parse import urljoin, urlsplit

import requests
from tqdm import tqdm

from stages.common import files
from stages.common.command import InputError
from stages.common.locks import alone, locked

ATTEMPTS = 5
PAUSE = 0.5  # seconds, doubled before every further attempt
TIMEOUT = 30  # seconds without a byte
LOOPBACK = ("127.0.0.1", "localhost", "::1")
BLOCK = 1 << 14  # bytes: what a broken connection loses
LARGEST = 8 << 30  # bytes of a download; GloVe's largest archive has 2.2 GB


def copy_files(source: Path, names: Iterable[str], folder: Path) -> None:
    """Copy files that are on this machine; of a name that ends in "/", all of the folder but hidden ones.

    Raises:
        InputError: one is not there, or a folder holds folders.
    """
    for name in names:
        if not (source / name).is_file() and not (name.endswith("/") and (source / name).is_dir()):
            raise InputError(f"{source / name} is not there; put it there, or correct its source")
        files = sorted((source / name).glob("[!._]*")) if name.endswith("/") else [source / name]
        if name.endswith("/") and (inner := next((file for file in files if file.is_dir()), None)):
            raise InputError(f"{inner} is a folder in {name}, whose tables would go unread; move them into {name}")
        for file in filter(Path.is_file, files):
            copy = folder / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)


@contextmanager
def fetched(address: str, downloads: Path, in_mirror: str = "") -> Iterator[Path]:
    """The file behind a public https address, while the block lasts; a download is removed afterwards.

    Used or wrong, it is of no more use; where a full disk or a person ends the block, it stays for the next time.
    A mirror's own file stays whatever comes. Another stage that wants the same download waits for the block's end.
    """
    mirror = os.environ.get("DATA_MIRROR", "")
    is_download = not mirror or "://" in mirror
    with locked(place(address, downloads).parent, wait=True) if is_download else nullcontext():
        path = fetch(address, downloads, in_mirror)
        try:
            yield path
        except InputError:
            if is_download:
                path.unlink()
            raise
        if is_download:
            path.unlink()


def fetch(address: str, downloads: Path, in_mirror: str = "") -> Path:
    """The file behind a public https address, as a local path.

    `DATA_MIRROR` in the environment, a folder or an address prefix, is asked instead of the public host
    for `in_mirror` or, without it, for a file of the same name. A download that was broken off goes on where
    it stopped; it lies in `downloads` until the caller removes it.

    Raises:
        InputError: the mirror lacks the file, the address is not https, the host cannot be reached or answers
            nonsense, or it sends more than `LARGEST`.
    """
    wanted = in_mirror or place(address, downloads).name
    mirror = os.environ.get("DATA_MIRROR", "")
    if mirror and "://" not in mirror:
        path = Path(mirror) / wanted
        if not path.is_file():
            raise InputError(
                f"DATA_MIRROR={mirror} holds no {wanted}; put it there, or unset DATA_MIRROR to fetch {address}"
            )
        return path
    source = f"{mirror.rstrip('/')}/{wanted}" if mirror else address
    path = place(source, downloads)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with alone(path):
            if not path.is_file():
                download(source, path)
    except (requests.RequestException, ValueError) as error:  # ValueError: not an address at all
        response = getattr(error, "response", None)
        reason = f"status {response.status_code}" if response is not None else type(error).__name__
        raise InputError(
            f"{source} could not be fetched ({reason}); check the address, the network and its proxy, "
            f"or set DATA_MIRROR to a folder or address that holds {wanted}"
        ) from None
    return path


def place(address: str, downloads: Path) -> Path:
    """Where a download lies: under its name, which another address may share, in a folder that none does."""
    name = PurePosixPath(re.split("[?#]", address, maxsplit=1)[0]).name
    return downloads / hashlib.sha256(address.encode()).hexdigest()[:16] / name


def download(address: str, path: Path) -> None:
    """Write what lies at an address to `path`; a broken download stays as `<path>.part` and is resumed.

    Raises:
        requests.RequestException: nothing came after `ATTEMPTS` attempts, or the host refused.
        InputError: the address, or one it redirects to, is neither https nor on this machine, or too much came.
    """
    partial = path.with_name(path.name + ".part")
    with HttpsSession() as session:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                receive(session, address, partial)
                break
            except requests.RequestException as error:
                status = error.response.status_code if error.response is not None else None
                refused = status is not None and status < 500 and status != 429
                if refused or attempt == ATTEMPTS:
                    raise
                time.sleep(PAUSE * 2 ** (attempt - 1))
    partial.replace(path)


class HttpsSession(requests.Session):
    """A session that asks no host over plain http but this machine, whatever a host redirects to.

    To this machine only it redirects itself: what else listens here is not a foreign host's to ask.
    """

    def get(self, url: str, **options) -> requests.Response:
        if not (is_https(url) or is_here(url)):
            raise InputError(f"{url} is not https; give an https address")
        return super().get(url, **options)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        if target is not None:
            address = urljoin(resp.url, target)
            if not (is_https(address) or (is_here(address) and is_here(resp.url))):
                raise InputError(f"{resp.url} redirects to {address[:200]!r}, which is not https; give another address")
        return target


def is_https(address: str) -> bool:
    return urlsplit(address).scheme == "https"


def is_here(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname in LOOPBACK


def receive(session: requests.Session, address: str, partial: Path) -> None:
    """Append to a partial file what it still lacks, or start again where the host cannot resume."""
    have = partial.stat().st_size if partial.exists() else 0
    headers = {"Range": f"bytes={have}-", "Accept-Encoding": "identity"}
    with session.get(address, stream=True, timeout=TIMEOUT, headers=headers) as response:
        if response.status_code == 416:  # nothing left to send, or not the file this part is of
            partial.unlink(missing_ok=True)
            raise requests.ConnectionError("the partial file does not fit; starting again")
        response.raise_for_status()
        if response.status_code != 206:
            have = 0
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            partial.unlink(missing_ok=True)
            raise requests.ConnectionError("another part than was asked for; starting again")
        announced = response.headers.get("Content-Length", "")
        total = int(announced) + have if announced.isdecimal() else None
        too_much = InputError(f"{address} sends more than {LARGEST >> 30} GiB; give another address")
        if total is not None and total > LARGEST:
            raise too_much
        bar = tqdm(desc=partial.stem, total=total, initial=have, unit="B", unit_scale=True, disable=None)
        with partial.open("ab" if have else "wb") as file, bar:
            for block in response.iter_content(BLOCK):
                have += len(block)
                if have > LARGEST:
                    partial.unlink()
                    raise too_much
                file.write(block)
                bar.update(len(block))
    if total is not None and have != total:
        raise requests.ConnectionError("the connection closed early")


def verify(folder: Path, checksums: dict[str, str | None]) -> None:
    """Compare the content of files with their SHA-256; a file without one passes.

    Raises:
        InputError: a file's content is another one, or a folder is given one.
    """
    for name, expected in checksums.items():
        if name.endswith("/"):
            if expected:
                raise InputError(f"{name} is a folder, which has no SHA-256; set it to null, or name its files")
            continue
        found = files.sha256(folder / name)
        if expected and found != expected:
            raise InputError(
                f"{name} has SHA-256 {found}, expected {expected}; "
                "fetch it again, or correct its checksum if the change is meant"
            )
