"""Hostile input: archives, hosts and parameters that are made to harm end in one sentence, without an out."""

import io
import re
import socketserver
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
import requests
import torch
import yaml

from stages import download, download_glove
from stages.common import params
from stages.common.command import InputError
from stages.corpus import archives, sources
from tests.projects import REPOSITORY, read_params

FILES = {"train.tsv": b"train" * 1000, "valid.tsv": b"valid", "test.tsv": b"test"}
CPU = torch.device("cpu")


def zip_of(*others: tuple[str | zipfile.ZipInfo, bytes]) -> bytearray:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in (*FILES.items(), *others):
            file.writestr(name, content)
    return bytearray(archive.getvalue())


def zip_of_kind(mode: int) -> bytearray:
    other = zipfile.ZipInfo("evil")
    other.create_system, other.external_attr = 3, mode << 16
    return zip_of((other, b""))


def lying_zip(header: bytes, offset: int, value: bytes) -> bytearray:
    """Some bytes of the first member's header changed: the local one is PK34, the directory's PK12."""
    archive = zip_of()
    start = archive.index(b"PK" + header) + offset
    archive[start : start + len(value)] = value
    return archive


def overlapping_zip() -> bytearray:
    """All entries of the directory point to the first member."""
    archive = zip_of()
    for entry in re.finditer(rb"PK\x01\x02", bytes(archive)):
        archive[entry.start() + 42 : entry.start() + 46] = bytes(4)
    return archive


def tar_of(name: str, size: int = 0, mode: str = "w:gz", pax: dict[str, str] | None = None) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode=mode, format=tarfile.PAX_FORMAT if pax else tarfile.GNU_FORMAT) as file:
        for member, length in ((name, size), *((known, len(content)) for known, content in FILES.items())):
            info = tarfile.TarInfo(member)
            info.size, info.pax_headers = length, (pax or {}) if member == name else {}
            file.addfile(info, io.BytesIO(FILES.get(member, bytes(size))))
    return archive.getvalue()


HOLES = {"GNU.sparse.map": "0,1", "GNU.sparse.size": "9"}

# An archive that holds what is wanted, and what the message says.
ARCHIVES = {
    "zip, a drive": (zip_of(("C:\\evil", b"")), r"'C:\\\\evil', a link, a device or a path out of its folder"),
    "zip, a drive's folder": (zip_of(("c:evil", b"")), "'c:evil', a link"),
    "zip, a share": (zip_of(("\\\\host\\share\\evil", b"")), "evil', a link"),
    "zip, a name without end": (zip_of(("../" + "x" * 9999, b"")), r"'\.\./x{77}…', a link"),
    "zip, a name that steers a terminal": (zip_of(("../\x1b[2J\n", b"")), r"'\.\./\\x1b\[2J\\n', a link"),
    "zip, a fifo": (zip_of_kind(0o10644), "'evil', a link, a device"),
    "zip, a character device": (zip_of_kind(0o20644), "'evil', a link, a device"),
    "zip, a block device": (zip_of_kind(0o60644), "'evil', a link, a device"),
    "zip, a socket": (zip_of_kind(0o140644), "'evil', a link, a device"),
    "zip, a member twice": (zip_of(("traim.tsv", b"x")).replace(b"traim", b"train"), "holds 'train.tsv' twice; do not"),
    "zip, members in one another": (overlapping_zip(), "in the same bytes, as bombs do; do not use"),
    "zip, encrypted": (lying_zip(b"\1\2", 8, b"\1"), "holds 'train.tsv' encrypted; use an archive without"),
    "zip, a size too small": (lying_zip(b"\1\2", 24, b"\x10\0"), r"damaged \(Bad CRC"),
    "zip, a size too large": (lying_zip(b"\1\2", 24, b"\xff\xff"), "has 5,000 bytes, not 65,535.; fetch it again"),
    "zip, another name in the header": (lying_zip(b"\3\4", 30, b"evil"), r"damaged \(File name in directory"),
    "zip, a method that there is not": (lying_zip(b"\1\2", 10, b"\x63"), r"damaged \(.* not supported"),
    "zip, a name in no UTF-8": (zip_of(("é", b"")).replace("é".encode(), b"\xff\xfe"), r"damaged \('utf-8' codec"),
    "tar, a drive": (tar_of("C:\\evil"), r"'C:\\\\evil', a link, a device or a path out of its folder"),
    "tar, a file with holes": (tar_of("evil", pax=HOLES), "'evil', a link, a device"),
    "tar, a member twice": (tar_of("train.tsv", 5000), "holds 'train.tsv' twice; do not use"),
    "tar, a header that points back": (tar_of("evil", pax={"size": "-512"}), "points back"),
    "tar, a name of a megabyte": (tar_of("x" * (1 << 20)), r"damaged \(a header of 1,048,577 bytes\); fetch it again"),
}


@pytest.fixture
def fetch(project, run_here, monkeypatch) -> Callable[[bytes], str]:
    """Runs `download` on a mirror's archive; what it says."""
    monkeypatch.chdir(project.folder)
    monkeypatch.setenv("DATA_MIRROR", "mirror")
    project.set("corpora.own.source", {"address": "https://data.example/own.zip", "files": dict.fromkeys(FILES)})

    def fetch(archive: bytes) -> str:
        project.write("mirror/own.zip", archive)
        return run_here(download, corpus="own", local="data/own", downloads="data/downloads", out="data/raw/own")

    return fetch


@pytest.mark.parametrize(("archive", "message"), ARCHIVES.values(), ids=ARCHIVES)
def test_a_hostile_archive_is_refused_and_leaves_nothing(fetch, archive, message):
    assert re.search(f"^error: own.zip .*{message}", fetch(archive))
    assert list(Path("data/raw").iterdir()) == []
    assert list(Path().rglob("*evil*")) == []


BOMBS = {
    "zip": zip_of(("bomb", b"")),
    "tar": tar_of("other", mode="w"),
    "tar, of a member that nobody asked for": tar_of("bomb", 1 << 20),
}


@pytest.mark.parametrize("archive", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_stopped_where_the_limit_is(fetch, monkeypatch, archive):
    monkeypatch.setattr(archives, "UNPACKED", 5_008)  # a byte less than is wanted
    assert "own.zip unpacks to more than" in fetch(archive)
    assert list(Path("data/raw").iterdir()) == []


@pytest.mark.parametrize("archive", [zip_of(), tar_of("other")], ids=["zip", "tar"])
def test_an_archive_at_its_limits_is_taken(fetch, monkeypatch, archive):
    monkeypatch.setattr(archives, "UNPACKED", 8_192)
    monkeypatch.setattr(archives, "MEMBERS", 4)
    assert fetch(archive) == ""
    assert {path.name: path.read_bytes() for path in Path("data/raw/own").iterdir()} == FILES


def test_a_member_without_a_name_is_left_alone(fetch):
    assert fetch(zip_of(("~x", b"")).replace(b"~x", b"\0x")) == ""
    assert {path.name for path in Path("data/raw/own").iterdir()} == set(FILES)


@pytest.mark.parametrize("archive", [zip_of(("other", b"")), tar_of("other")], ids=["zip", "tar"])
def test_more_members_than_an_archive_may_have_are_refused(fetch, monkeypatch, archive):
    monkeypatch.setattr(archives, "MEMBERS", 3)
    assert "own.zip holds more than 3 members" in fetch(archive)


def test_a_zip_with_an_endless_list_of_members_is_refused_before_it_is_read(fetch, monkeypatch):
    monkeypatch.setattr(archives, "DIRECTORY", 100)
    assert "its list of members has 164 bytes" in fetch(zip_of())


def test_a_tar_is_read_twice_at_most_in_whatever_order_its_members_are_wanted(tmp_path):
    generator = np.random.default_rng(1)
    members = {
        f"{number}.txt": generator.bytes(8192) for number in range(100)
    }  # whole blocks, which tempt to seek back
    with tarfile.open(tmp_path / "archive", "w:gz", compresslevel=1) as file:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    before = bytes_read()
    archives.extract(tmp_path / "archive", [*reversed(members)], tmp_path / "out")
    assert bytes_read() - before < 2.5 * (tmp_path / "archive").stat().st_size
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == members


def bytes_read() -> int:
    """By this process so far."""
    return int(re.search(r"rchar: (\d+)", Path("/proc/self/io").read_text())[1])


@pytest.fixture
def host(monkeypatch) -> Iterator[Callable[..., str]]:
    """Starts a host on this machine that answers every request with the given bytes; its address of a file."""
    monkeypatch.delenv("DATA_MIRROR", raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(sources, "PAUSE", 0)
    servers = []

    def start(head: bytes, body: Iterable[bytes] = ()) -> str:
        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                while self.rfile.readline().strip():
                    pass
                try:
                    self.wfile.write(b"HTTP/1.1 " + head + b"\r\nConnection: close\r\n\r\n")
                    self.wfile.writelines(body)
                except ConnectionError:
                    pass  # who asked has seen enough

        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}/own.zip"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


# What a host answers, and what the message says.
REFUSED_HOSTS = {
    "redirects to a file": (
        b"302 Found\r\nLocation: file:///etc/passwd",
        "redirects to 'file:///etc/passwd', which is not",
    ),
    "redirects to ftp": (
        b"302 Found\r\nLocation: ftp://data.example/x",
        "redirects to 'ftp://data.example/x', which is",
    ),
    "redirects to http": (
        b"302 Found\r\nLocation: http://data.example/x",
        "redirects to 'http://data.example/x', which",
    ),
    "redirects to no address": (b"302 Found\r\nLocation: https://[", r"could not be fetched \(ValueError\)"),
    "redirects to no text": (b"302 Found\r\nLocation: \xff\xfe", r"could not be fetched \(UnicodeDecodeError\)"),
    "redirects in a circle": (b"302 Found\r\nLocation: /own.zip", r"could not be fetched \(status 302\)"),
    "speaks no HTTP": (b"\0\xff", "could not be fetched"),
    "announces more than there may be": (
        b"200 OK\r\nContent-Length: 9999999999999",
        "sends more than .*; give another",
    ),
    "announces a number without end": (b"200 OK\r\nContent-Length: " + b"9" * 5000, "could not be fetched"),
    "ends too early": (b"200 OK\r\nContent-Length: 9", "could not be fetched"),
    "sends another part": (b"206 Partial Content\r\nContent-Range: bytes 9-99/100", "could not be fetched"),
}


@pytest.mark.parametrize(("head", "message"), REFUSED_HOSTS.values(), ids=REFUSED_HOSTS)
def test_a_host_that_misleads_is_refused(host, tmp_path, head, message):
    with pytest.raises(InputError, match=f"^http://127.0.0.1:[0-9]+/own.zip {message}[^\n]*$"):
        sources.fetch(host(head, [b"x"]), tmp_path)
    assert [path for path in tmp_path.rglob("*.*") if path.suffix != ".part"] == []


@pytest.mark.parametrize("target", ["http://127.0.0.1:8080/x", "http://localhost/x", "http://[::1]/x"])
def test_a_foreign_host_cannot_send_us_to_this_machine(target):
    response = requests.Response()
    response.status_code, response.url, response.headers["location"] = 302, "https://data.example/x", target
    with pytest.raises(InputError, match=r"^https://data.example/x redirects to .*not https"):
        sources.HttpsSession().get_redirect_target(response)


def test_data_without_end_is_cut_off(host, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "LARGEST", 10_000_000)
    endless = (b"%x\r\n%s\r\n" % (1 << 16, bytes(1 << 16)) for _ in iter(int, 1))
    with pytest.raises(InputError, match=r"own\.zip sends more than .* GiB; give another address$"):
        sources.fetch(host(b"200 OK\r\nTransfer-Encoding: chunked", endless), tmp_path)
    assert list(tmp_path.rglob("*.*")) == []


@pytest.mark.parametrize(("announced", "kept"), [(b"4", b"abcd"), (b"-4", b"abcdefgh"), (b"four", b"abcdefgh")])
def test_no_more_is_kept_than_is_announced(host, tmp_path, announced, kept):
    address = host(b"200 OK\r\nContent-Length: " + announced, [b"abcdefgh"])
    assert sources.fetch(address, tmp_path).read_bytes() == kept


def test_a_dimension_that_glove_lacks_is_refused(project, run_here, monkeypatch):
    monkeypatch.chdir(project.folder)
    message = run_here(download_glove, dimension=60, downloads="data/downloads", out="data/glove/60")
    assert "params.yaml: glove has no '60d'; did you mean '" in message
    assert not Path("data/glove").exists()


STAGES = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
METACHARACTERS = [
    "evil\n",
    "; id",
    "$(id)",
    "`id`",
    "a b",
    "a\nid",
    "'",
    "*",
    "--out",
]  # what a shell makes something else of


def parameters_in_commands() -> set[str]:
    """The keys of run.yaml whose values a command of dvc.yaml holds."""
    found = set()
    for stage in STAGES.values():
        for name in re.findall(r"\$\{(.*?)(?:\[0\])?\}", stage["cmd"]):
            axis = name.removeprefix("item.")
            found.add(name if axis == name else re.search(r"\$\{(.*?)\}", str(stage["matrix"][axis]))[1])
    return found


@pytest.mark.parametrize("value", METACHARACTERS)
@pytest.mark.parametrize("key", sorted(parameters_in_commands()))
def test_no_parameter_takes_a_metacharacter_to_a_shell(project, monkeypatch, key, value):
    """Not even one that is described where its name has to be."""
    monkeypatch.chdir(project.folder)
    everything = read_params(project.folder)
    group = "corpora" if key.endswith("corpora") else {"run.notebook": "notebook"}.get(key, "models")
    group = "encoders" if key == "run.described_by" or key.endswith("encoders") else group
    project.set(group, everything[group] | {value: next(iter(everything[group].values()))})
    project.set(key, value if key == "run.described_by" else [value])
    with pytest.raises(InputError, match=r"^(params|run)\.yaml: "):
        params.load()


def test_the_commands_hold_parameters_of_the_run_alone():
    assert {key.partition(".")[0] for key in parameters_in_commands()} == {"run"}
