"""Files from an address, a mirror or an archive: resumed, verified, and nothing outside their folder."""

import hashlib
import io
import random
import socket
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import urllib3

from stages.common.command import InputError
from stages.corpus import archives, sources

CONTENT = random.Random(1).randbytes(50_000)


class Host:
    """A local HTTP server of one content, and the requests that it saw."""

    def __init__(self) -> None:
        self.content = CONTENT
        self.resumes = True
        self.closes_after: list[int] = []  # bytes of the next responses before the connection closes
        self.redirect = ""
        self.refusals: list[int] = []  # status codes of the next responses
        self.requests: list[tuple[str, int]] = []  # path, and the first byte asked for
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.address = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        first = int(handler.headers.get("Range", "bytes=0-")[len("bytes=") : -1])
        self.requests.append((handler.path, first))
        if self.refusals:
            handler.send_response(self.refusals.pop(0))
            handler.end_headers()
            return
        if self.redirect:
            handler.send_response(302)
            handler.send_header("Location", self.redirect)
            self.redirect = ""
            handler.end_headers()
            return
        if self.resumes and first >= len(self.content):
            handler.send_response(416)
            handler.end_headers()
            return
        first *= self.resumes
        handler.send_response(206 if self.resumes else 200)
        handler.send_header("Content-Length", str(len(self.content) - first))
        if self.resumes:
            handler.send_header("Content-Range", f"bytes {first}-{len(self.content) - 1}/{len(self.content)}")
        handler.end_headers()
        last = first + self.closes_after.pop(0) if self.closes_after else None
        handler.wfile.write(self.content[first:last])


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.delenv("DATA_MIRROR", raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    host = Host()
    yield host
    host.server.shutdown()
    host.server.server_close()


def zip_of(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", compression) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return archive.getvalue()


def tar_of(members: dict[str, bytes], mode: str = "w:gz", *others: tarfile.TarInfo) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode=mode) as file:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
        for other in others:
            file.addfile(other)
    return archive.getvalue()


def tar_with(name: str, kind: bytes, target: str = "") -> bytes:
    other = tarfile.TarInfo(name)
    other.type, other.linkname = kind, target
    return tar_of({"good.tsv": CONTENT}, "w:gz", other)


def zip_with_link() -> bytes:
    link = zipfile.ZipInfo("hostile")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    archive = io.BytesIO(zip_of({"good.tsv": CONTENT}))
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr(link, "/etc/hostname")
    return archive.getvalue()


def with_flipped_byte(content: bytes, position: int) -> bytes:
    return content[:position] + bytes([content[position] ^ 0xFF]) + content[position + 1 :]


@pytest.fixture
def extract(tmp_path: Path) -> Callable[..., Path]:
    """Write an archive's bytes to a file and take members out of it into the folder that is returned."""

    def extract(content: bytes, *wanted: str) -> Path:
        archive, folder = tmp_path / "archive", tmp_path / "inside" / "folder"
        archive.write_bytes(content)
        folder.mkdir(parents=True, exist_ok=True)
        archives.extract(archive, wanted, folder)
        return folder

    return extract


def files_under(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def partial_file(host: Host, downloads: Path, content: bytes = b"") -> Path:
    """What a broken download of x.zip leaves."""
    path = sources.place(f"{host.address}/x.zip", downloads)
    path.parent.mkdir()
    path.with_name("x.zip.part").write_bytes(content)
    return path.with_name("x.zip.part")


def test_file_is_fetched_from_its_address(host, tmp_path):
    path = sources.fetch(f"{host.address}/a/x.zip?download=1", tmp_path / "downloads")
    assert path.name == "x.zip"
    assert path.read_bytes() == CONTENT
    assert files_under(tmp_path) == {"x.zip"}


def test_a_whole_file_that_an_earlier_run_fetched_is_not_fetched_again(host, tmp_path):
    partial_file(host, tmp_path, CONTENT).rename(sources.place(f"{host.address}/x.zip", tmp_path))
    assert sources.fetch(f"{host.address}/x.zip", tmp_path).read_bytes() == CONTENT
    assert host.requests == []


@pytest.mark.parametrize(("error", "left"), [(InputError, set()), (KeyboardInterrupt, {"x.zip"}), (OSError, {"x.zip"})])
def test_a_wrong_file_goes_and_one_not_yet_used_stays(host, tmp_path, error, left):
    with pytest.raises(error), sources.fetched(f"{host.address}/x.zip", tmp_path):
        raise error
    assert files_under(tmp_path) == left


def test_a_second_stage_that_wants_the_same_download_waits(host, tmp_path):
    order = []

    def fetch(name: str) -> None:
        with sources.fetched(f"{host.address}/x.zip", tmp_path) as path:
            order.append((name, path.read_bytes() == CONTENT))

    second = threading.Thread(target=fetch, args=["second"])
    with sources.fetched(f"{host.address}/x.zip", tmp_path):
        second.start()
        second.join(0.3)
        order.append("first")
    second.join()
    assert order == ["first", ("second", True)]
    assert files_under(tmp_path) == set()


def test_files_of_one_name_from_two_addresses_do_not_mix(host, tmp_path):
    partial_file(host, tmp_path, b"x" * 12_345)
    assert sources.fetch(f"{host.address}/other/x.zip", tmp_path).read_bytes() == CONTENT
    assert host.requests == [("/other/x.zip", 0)]


def test_mirror_folder_is_asked_instead_of_the_host(host, tmp_path, monkeypatch):
    (tmp_path / "x.zip").write_bytes(b"from the mirror")
    monkeypatch.setenv("DATA_MIRROR", str(tmp_path))
    assert sources.fetch(f"{host.address}/a/x.zip", tmp_path / "downloads") == tmp_path / "x.zip"
    assert host.requests == []


def test_mirror_folder_without_the_file_is_named(host, tmp_path, monkeypatch):
    monkeypatch.setenv("DATA_MIRROR", str(tmp_path))
    with pytest.raises(InputError, match=rf"DATA_MIRROR={tmp_path} holds no x\.zip"):
        sources.fetch(f"{host.address}/a/x.zip", tmp_path / "downloads")


def test_mirror_address_is_asked_for_the_same_name(host, tmp_path, monkeypatch):
    monkeypatch.setenv("DATA_MIRROR", f"{host.address}/mirror/")
    path = sources.fetch("https://data.example/a/x.zip", tmp_path)
    assert path.read_bytes() == CONTENT
    assert host.requests == [("/mirror/x.zip", 0)]


def test_partial_file_is_resumed(host, tmp_path):
    partial_file(host, tmp_path, CONTENT[:12_345])
    assert sources.fetch(f"{host.address}/x.zip", tmp_path).read_bytes() == CONTENT
    assert host.requests == [("/x.zip", 12_345)]
    assert files_under(tmp_path) == {"x.zip"}


def test_partial_file_is_replaced_where_the_host_cannot_resume(host, tmp_path):
    host.resumes = False
    partial_file(host, tmp_path, b"x" * 12_345)
    assert sources.fetch(f"{host.address}/x.zip", tmp_path).read_bytes() == CONTENT


def test_partial_file_longer_than_the_content_is_fetched_again(host, tmp_path):
    partial_file(host, tmp_path, b"x" * (len(CONTENT) + 1))
    assert sources.fetch(f"{host.address}/x.zip", tmp_path).read_bytes() == CONTENT
    assert host.requests == [("/x.zip", len(CONTENT) + 1), ("/x.zip", 0)]


def test_connection_that_closes_early_is_resumed_to_the_same_bytes(host, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "BLOCK", 1_000)
    host.closes_after = [20_000, 10_000]
    assert sources.fetch(f"{host.address}/x.zip", tmp_path).read_bytes() == CONTENT
    starts = [start for _, start in host.requests]
    assert len(starts) == 3
    assert 0 == starts[0] < starts[1] < starts[2]


def test_connection_that_always_closes_early_keeps_the_partial_file(host, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "BLOCK", 1_000)
    monkeypatch.setattr(sources, "ATTEMPTS", 2)
    monkeypatch.setattr(sources, "PAUSE", 0)
    host.closes_after = [20_000, 10_000]
    with pytest.raises(InputError, match="DATA_MIRROR"):
        sources.fetch(f"{host.address}/x.zip", tmp_path)
    kept = next(tmp_path.rglob("x.zip.part")).read_bytes()
    assert len(kept) > 20_000
    assert CONTENT.startswith(kept)
    assert files_under(tmp_path) == {"x.zip.part"}


def test_redirect_on_this_machine_is_followed(host, tmp_path):
    host.redirect = f"{host.address}/elsewhere"
    assert sources.fetch(f"{host.address}/x.zip", tmp_path).read_bytes() == CONTENT
    assert host.requests == [("/x.zip", 0), ("/elsewhere", 0)]


def test_redirect_to_a_foreign_host_without_https_is_refused(host, tmp_path, monkeypatch):
    connect = urllib3.util.connection.create_connection
    monkeypatch.setattr(
        urllib3.util.connection,
        "create_connection",
        lambda address, *rest, **options: connect(("127.0.0.1", address[1]), *rest, **options),
    )
    host.redirect = f"http://foreign.example:{host.port}/x.zip"
    with pytest.raises(InputError, match=r"http://foreign\.example.*not https"):
        sources.fetch(f"{host.address}/x.zip", tmp_path)
    assert files_under(tmp_path) == set()


def test_a_missing_file_is_asked_for_once_and_named_with_its_status(host, tmp_path):
    host.refusals = [404]
    with pytest.raises(InputError, match=r"x\.zip could not be fetched \(status 404\)"):
        sources.fetch(f"{host.address}/x.zip", tmp_path)
    assert len(host.requests) == 1


def test_a_busy_host_is_asked_again(host, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "PAUSE", 0)
    host.refusals = [503, 429]
    assert sources.fetch(f"{host.address}/x.zip", tmp_path).read_bytes() == CONTENT
    assert len(host.requests) == 3


def test_address_out_of_reach_leads_to_the_mirror(tmp_path, monkeypatch):
    monkeypatch.delenv("DATA_MIRROR", raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(sources, "ATTEMPTS", 2)
    monkeypatch.setattr(sources, "PAUSE", 0)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(InputError, match=rf"127\.0\.0\.1:{port}/x\.zip could not be fetched.*DATA_MIRROR.*x\.zip"):
        sources.fetch(f"http://127.0.0.1:{port}/x.zip", tmp_path)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_verification_is_of_the_content_not_of_the_archive(extract, compression):
    checksum = hashlib.sha256(CONTENT).hexdigest()
    folder = extract(zip_of({"a/x.tsv": CONTENT}, compression), "a/x.tsv")
    sources.verify(folder, {"a/x.tsv": checksum})


def test_one_changed_byte_fails_the_verification(extract):
    checksum = hashlib.sha256(CONTENT).hexdigest()
    folder = extract(zip_of({"a/x.tsv": with_flipped_byte(CONTENT, 100), "b/x.tsv": CONTENT}), "a/x.tsv", "b/x.tsv")
    with pytest.raises(InputError, match=rf"^a/x\.tsv has SHA-256 .* expected {checksum}"):
        sources.verify(folder, {"b/x.tsv": checksum, "a/x.tsv": checksum})


def test_file_without_a_checksum_passes(extract):
    sources.verify(extract(zip_of({"x.tsv": CONTENT}), "x.tsv"), {"x.tsv": None})


@pytest.mark.parametrize("archive", [zip_of, tar_of], ids=["zip", "tar.gz"])
def test_only_wanted_members_are_taken_out(extract, archive):
    folder = extract(archive({"a/x.tsv": CONTENT, "a/y.tsv": b"y", "z.tsv": b"z"}), "a/x.tsv", "z.tsv")
    assert files_under(folder) == {"x.tsv", "z.tsv"}
    assert (folder / "a/x.tsv").is_file()
    assert (folder / "a/x.tsv").read_bytes() == CONTENT


HOSTILE = {
    "zip, absolute path": zip_of({"good.tsv": CONTENT, "/hostile": b"x"}),
    "zip, parent": zip_of({"good.tsv": CONTENT, "../hostile": b"x"}),
    "zip, parent further in": zip_of({"good.tsv": CONTENT, "a/../../hostile": b"x"}),
    "zip, parent as Windows writes it": zip_of({"good.tsv": CONTENT, "..\\hostile": b"x"}),
    "zip, symbolic link": zip_with_link(),
    "tar, absolute path": tar_of({"good.tsv": CONTENT, "/hostile": b"x"}),
    "tar, parent": tar_of({"good.tsv": CONTENT, "../hostile": b"x"}),
    "tar, parent further in": tar_of({"good.tsv": CONTENT, "a/../../hostile": b"x"}),
    "tar, symbolic link": tar_with("hostile", tarfile.SYMTYPE, "/etc/hostname"),
    "tar, hard link": tar_with("hostile", tarfile.LNKTYPE, "good.tsv"),
    "tar, character device": tar_with("hostile", tarfile.CHRTYPE),
    "tar, block device": tar_with("hostile", tarfile.BLKTYPE),
    "tar, fifo": tar_with("hostile", tarfile.FIFOTYPE),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_archive_is_refused_whole(extract, tmp_path, content):
    with pytest.raises(InputError, match=r"archive holds .*hostile.*do not use"):
        extract(content, "good.tsv")
    assert files_under(tmp_path) == {"archive"}


def zip_with_directory_before_its_start() -> bytes:
    content = bytearray(zip_of({"x.tsv": CONTENT}))
    content[-6:-2] = (0xFFFFFF).to_bytes(4, "little")  # where the end record says that the directory begins
    return bytes(content)


DAMAGED = {
    "zip that points before its start": zip_with_directory_before_its_start(),
    "zip cut in half": zip_of({"x.tsv": CONTENT})[:25_000],
    "zip without its last byte": zip_of({"x.tsv": CONTENT})[:-1],
    "zip, stored member": with_flipped_byte(zip_of({"x.tsv": CONTENT}, zipfile.ZIP_STORED), 25_000),
    "zip, deflated member": with_flipped_byte(zip_of({"x.tsv": CONTENT}, zipfile.ZIP_DEFLATED), 25_000),
    "zip, bzip2 member": with_flipped_byte(zip_of({"x.tsv": CONTENT}, zipfile.ZIP_BZIP2), 25_000),
    "zip, LZMA member": with_flipped_byte(zip_of({"x.tsv": CONTENT}, zipfile.ZIP_LZMA), 25_000),
    "tar cut in half": tar_of({"x.tsv": CONTENT}, "w:")[:25_000],
    "tar.gz cut in half": tar_of({"x.tsv": CONTENT})[:25_000],
    "tar.bz2 cut in half": tar_of({"x.tsv": CONTENT}, "w:bz2")[:25_000],
    "tar.xz with a changed byte": with_flipped_byte(tar_of({"x.tsv": CONTENT}, "w:xz"), 25_000),
    "no archive": CONTENT,
    "empty": b"",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_damaged_archive_is_to_be_fetched_again(extract, content):
    with pytest.raises(InputError, match=r"^archive is .*fetch it again$"):
        extract(content, "x.tsv")


@pytest.mark.parametrize("archive", [zip_of, tar_of], ids=["zip", "tar.gz"])
def test_archive_without_a_wanted_member_names_it(extract, archive):
    with pytest.raises(InputError, match=r"archive lacks a/missing\.tsv"):
        extract(archive({"a/x.tsv": CONTENT}), "a/missing.tsv")


def test_folder_instead_of_a_wanted_file_is_named(extract):
    folder = tarfile.TarInfo("a")
    folder.type = tarfile.DIRTYPE
    with pytest.raises(InputError, match="archive lacks a"):
        extract(tar_of({"a/x.tsv": CONTENT}, "w:gz", folder), "a")
