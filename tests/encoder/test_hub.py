"""Encoders of the hub: from its own server, through its cache, and what is said where it has none."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import huggingface_hub.constants
import pytest

from stages import download_encoder, download_tokenizer
from tests.commands import run_here
from tests.encoders import ENCODER_FILES, checksums

MODEL, REVISION = "owner/bert-tiny", "0123456789" * 4
SOURCE = {"hub": MODEL, "revision": REVISION}


class Hub(ThreadingHTTPServer):
    """As much of the hub as one model needs; what it was asked for, and a token that it wants to see."""

    def __init__(self, folder: Path):
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.asked, self.token = folder, [], None


class Handler(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def answer(self, with_body: bool) -> None:
        self.server.asked.append((self.command, self.path))
        start = f"/{MODEL}/resolve/"
        revision, _, name = self.path.removeprefix(start).partition("/")
        file = self.server.folder / name
        allowed = self.headers.get("Authorization") == f"Bearer {self.server.token}"
        if not self.path.startswith(start) or (self.server.token and not allowed):
            self.refuse(401, "RepoNotFound")
        elif revision != REVISION:
            self.refuse(404, "RevisionNotFound")
        elif not file.is_file():
            self.refuse(404, "EntryNotFound")
        else:
            content = file.read_bytes()
            self.send_response(200)
            for key, value in (("X-Repo-Commit", revision), ("ETag", f'"{name}"'), ("Content-Length", len(content))):
                self.send_header(key, str(value))
            self.end_headers()
            self.wfile.write(content if with_body else b"")

    def refuse(self, status: int, reason: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", reason)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(own, put_encoder, monkeypatch, tmp_path) -> Iterator[Hub]:
    """A hub that has the tiny BERT, which params.yaml names; its cache is the test's own."""
    put_encoder(source=SOURCE)
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # before the client tries again
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    with Hub(own) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        yield server
        server.shutdown()


def download() -> str:
    return run_here(download_encoder, encoder="own", downloads="data/downloads", out="data/encoders/own")


def test_files_come_from_the_hub_once_and_then_from_its_cache(hub, own, monkeypatch):
    for _ in range(2):
        assert download() == ""
        assert {path.name: path.read_bytes() for path in Path("data/encoders/own").iterdir()} == {
            name: (own / name).read_bytes() for name in ENCODER_FILES
        }
    assert [path for method, path in hub.asked if method == "GET"] == [
        f"/{MODEL}/resolve/{REVISION}/{name}" for name in ("config.json", "tokenizer.json", "model.safetensors")
    ]
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # where nothing listens
    assert download() == ""


def test_the_token_in_the_environment_opens_a_model_that_is_not_for_everybody(hub, monkeypatch):
    hub.token = "secret"
    said = download()
    assert said == f"error: the hub has no {MODEL}, or not for everybody; correct its name, or set HF_TOKEN"
    monkeypatch.setenv("HF_TOKEN", "secret")
    assert download() == ""


def test_the_tokenizer_alone_is_fetched_to_describe_a_corpus(hub):
    assert run_here(download_tokenizer, encoder="own", downloads="data/downloads", out="data/tokenizer") == ""
    assert [path.name for path in Path("data/tokenizer").iterdir()] == ["tokenizer.json"]
    assert {Path(path).name for _, path in hub.asked} == {"tokenizer.json"}


def without(name: str) -> Callable[[Hub, Callable, pytest.MonkeyPatch], None]:
    return lambda hub, put_encoder, monkeypatch: (hub.folder / name).unlink()


# What is changed about the hub or what is asked of it, and what the message names.
FAULTS = {
    "no such model": (
        lambda hub, put_encoder, monkeypatch: put_encoder(source=SOURCE | {"hub": "owner/other"}),
        ["the hub has no owner/other"],
    ),
    "no such revision": (
        lambda hub, put_encoder, monkeypatch: put_encoder(source=SOURCE | {"revision": "f" * 40}),
        [f"{MODEL} has no revision ffff"],
    ),
    "no fast tokenizer": (without("tokenizer.json"), [f"{MODEL} has no tokenizer.json", "no fast tokenizer"]),
    "pickled weights alone": (without("model.safetensors"), [f"{MODEL} has no model.safetensors", "pickled"]),
    "out of reach": (
        lambda hub, put_encoder, monkeypatch: monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9"),
        [f"{MODEL} could not be fetched from the hub; check the network, or set DATA_MIRROR"],
    ),
    "offline": (
        lambda hub, put_encoder, monkeypatch: monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True),
        [f"{MODEL} could not be fetched from the hub; check the network, or set DATA_MIRROR"],
    ),
    "another content": (
        lambda hub, put_encoder, monkeypatch: (hub.folder / "config.json").write_text("{}"),
        ["config.json has SHA-256"],
    ),
}


@pytest.mark.parametrize(("change", "fragments"), FAULTS.values(), ids=FAULTS)
def test_what_the_hub_does_not_have_is_said(hub, put_encoder, project, monkeypatch, check, change, fragments):
    change(hub, put_encoder, monkeypatch)
    check(download(), project.folder / "data/encoders", *fragments)


@pytest.mark.parametrize("name", ["tokenizer.json", "model.safetensors"])
def test_a_folder_without_a_fast_tokenizer_or_safetensors_is_refused(put_encoder, own, project, check, name):
    (own / name).unlink()
    put_encoder()
    check(download(), project.folder / "data/encoders", f"encoder/{name} is not there", "save_pretrained")


def test_a_folder_is_taken_with_checksums_alone_so_that_other_files_are_seen(put_encoder, own, project, monkeypatch):
    monkeypatch.setenv("HOME", str(own.parent))
    folder = {"folder": f"~/{own.name}"}
    put_encoder(source=folder, checksums=dict.fromkeys(ENCODER_FILES))
    said = download()
    assert not Path("data/encoders/own").exists()
    found = ", ".join(f"{name}: {value}" for name, value in checksums(own).items())
    assert said.endswith(f"write {{{found}}}")
    put_encoder(source=folder)
    assert download() == ""
    content = json.loads((own / "config.json").read_text())
    (own / "config.json").write_text(json.dumps(content | {"hidden_dropout_prob": 0.2}))
    assert "config.json has SHA-256" in download()
