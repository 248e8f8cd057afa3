"""Files out of a package's source distribution, which pip finds where it is configured to look."""

import functools
import hashlib
import io
import os
import socket
import sys
import tarfile
import threading
import venv
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import stages.download
from tests.projects import Project

DATA = b"1\t0.5\tgood\n"
PYPROJECT = """
[build-system]
requires = [{}]
build-backend = "backend"
backend-path = ["."]
"""
BACKEND = """
import os, pathlib
pathlib.Path(os.environ["RAN"]).touch()

def prepare_metadata_for_build_wheel(folder, settings=None):
    info = pathlib.Path(folder, "own-1.0.dist-info")
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\\nName: own\\nVersion: 1.0\\n")
    return info.name
"""


def tar_of(members: dict[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as file:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return archive.getvalue()


def source_distribution(requires: str = "") -> bytes:
    """Of own 1.0, with data, data in an archive, and code that leaves a mark where it runs."""
    return tar_of(
        {
            "own-1.0/PKG-INFO": b"Metadata-Version: 2.1\nName: own\nVersion: 1.0\n",
            "own-1.0/pyproject.toml": PYPROJECT.format(requires).encode(),
            "own-1.0/backend.py": BACKEND.encode(),
            "own-1.0/data/a.txt": DATA,
            "own-1.0/data.tar.gz": tar_of({"inside/a.txt": DATA}),
        }
    )


@pytest.fixture
def links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which alone pip looks for packages."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    (tmp_path / "links").mkdir()
    own = {"CONFIG_FILE": os.devnull, "NO_CACHE_DIR": "1", "NO_INDEX": "1", "FIND_LINKS": str(tmp_path / "links")}
    for name, value in own.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("RAN", str(tmp_path / "ran"))
    return tmp_path / "links"


@pytest.fixture
def index(links: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A package index on this machine, of the files in the folder, in which pip looks; what it was asked for."""
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            asked.append(self.path)

    handler = functools.partial(Handler, directory=links)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_address[1]}/simple")
    yield asked
    server.shutdown()
    server.server_close()


@pytest.fixture
def download(project: Project, run_here: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run the stage for files of own 1.0, or another version, with the checksum of what pip is to find."""

    def download(content: bytes, *files: str, archive: str | None = None, version: str = "1.0") -> str:
        monkeypatch.chdir(project.folder)
        monkeypatch.setenv("DATA_MIRROR", "nowhere")
        package = {"name": "own", "version": version, "checksum": hashlib.sha256(content).hexdigest()}
        inside = {"archive": archive} if archive else {}
        project.set("corpora.own.source", {"package": package, "files": dict.fromkeys(files), **inside})
        return run_here(stages.download, corpus="own", local="none", downloads="downloads", out="data/raw/own")

    return download


def left_in(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


def test_files_are_taken_out_and_nothing_else_is_kept(project, download, links, tmp_path):
    content = source_distribution()
    (links / "own-1.0.tar.gz").write_bytes(content)
    assert download(content, "own-1.0/data/a.txt") == ""
    assert (tmp_path / "ran").exists()
    assert left_in(project.folder / "data") == ["raw/own/own-1.0/data/a.txt"]
    assert (project.folder / "data/raw/own/own-1.0/data/a.txt").read_bytes() == DATA


def test_files_of_an_archive_inside_come_from_the_index_that_pip_is_told(project, download, links, index):
    content = source_distribution()
    (links / "simple/own").mkdir(parents=True)
    (links / "simple/own/own-1.0.tar.gz").write_bytes(content)
    assert download(content, "inside/a.txt", archive="own-1.0/data.tar.gz") == ""
    assert index == ["/simple/own/", "/simple/own/own-1.0.tar.gz"]
    assert left_in(project.folder / "data") == ["raw/own/inside/a.txt"]
    assert (project.folder / "data/raw/own/inside/a.txt").read_bytes() == DATA


def test_a_file_of_another_checksum_is_refused_before_anything_of_it_runs(project, download, links, check, tmp_path):
    found = source_distribution()
    (links / "own-1.0.tar.gz").write_bytes(found)
    said = download(b"another", "own-1.0/data/a.txt")
    digests = [hashlib.sha256(content).hexdigest() for content in (found, b"another")]
    check(said.replace(digests[0], "…"), project.folder / "data/raw", "SHA-256 …", f"expected {digests[1]}")
    assert not (tmp_path / "ran").exists()


# What lies where pip looks, what is asked for, and what the message names.
OWN = {"own-1.0.tar.gz": source_distribution()}
FAULTS = {
    "an index that lacks the version": (OWN, {"version": "2.0"}, ["own==2.0", "those it has: 1.0"]),
    "an index of wheels alone": ({"own-1.0-py3-none-any.whl": b"PK"}, {}, ["own==1.0", "those it has: none"]),
    "code that needs what pip does not find": (
        {"own-1.0.tar.gz": source_distribution('"own-tool==7"')},
        {},
        ["own==1.0", "own-tool==7"],
    ),
    "no such archive inside": (OWN, {"archive": "own-1.0/none.zip"}, ["own-1.0.tar.gz lacks own-1.0/none.zip"]),
    "no such file in the archive inside": (OWN, {"archive": "own-1.0/data.tar.gz"}, ["data.tar.gz lacks"]),
    "no such file": (OWN, {}, ["own-1.0.tar.gz lacks own-1.0/b.txt"]),
}


@pytest.mark.parametrize(("lying", "asked", "fragments"), FAULTS.values(), ids=FAULTS)
def test_a_package_without_what_is_wanted_is_refused(project, download, links, check, lying, asked, fragments):
    for name, content in lying.items():
        (links / name).write_bytes(content)
    check(download(*lying.values(), "own-1.0/b.txt", **asked), project.folder / "data/raw", *fragments)


def test_an_index_out_of_reach_is_named_so(project, download, links, check, monkeypatch):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{port}/simple")
    check(download(b"", "a.txt"), project.folder / "data/raw", "own==1.0", "network", "DATA_MIRROR")


def test_a_python_without_pip_is_told_how_to_get_it(project, download, links, check, monkeypatch, tmp_path):
    venv.create(tmp_path / "venv", symlinks=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv/bin/python"))
    check(download(b"", "a.txt"), project.folder / "data/raw", "own==1.0", "ensurepip")
