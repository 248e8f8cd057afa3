"""An encoder's files: fetched, or refused in a sentence with what is wrong with them."""

import json
import shutil
import threading
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from stages import download_encoder
from tests.encoders import BERT, ENCODER_FILES, SPECIAL_PIECES, bytes_of, checksums, tokenizer_of


def download(run_here: Callable[..., str]) -> str:
    return run_here(download_encoder, encoder="own", downloads="data/downloads", out="data/encoders/own")


def config(**changes: object) -> bytes:
    return json.dumps(BERT | changes).encode()


MANY = [f"w{number}" for number in range(56)]
HUB = {"hub": "owner/bert-tiny", "revision": "0123456789" * 4}

# The encoder's source, and what the message names.
BAD_SOURCES = {
    "package not installed": ({"package": "no_such_package", "folder": "x"}, "no_such_package is not installed"),
    "folder not there": ({"folder": "nowhere"}, "nowhere/config.json is not there"),
    "hub without a revision": ({"hub": "a/b"}, "encoders.own.source is"),
    "revision that is a branch": (HUB | {"revision": "main"}, "encoders.own.source.revision is 'main'"),
    "hub and package": (HUB | {"package": "x", "folder": "y"}, "encoders.own.source is"),
}

# A file of the encoder, what it holds instead, and what the message names.
BAD_FILES = {
    "not there": ("tokenizer.json", None, "encoder/tokenizer.json is not there"),
    "another kind of BERT": ("config.json", config(model_type="distilbert"), "config.json asks for"),
    "a model that writes": ("config.json", config(model_type="gpt2"), "'gpt2', which is not a text encoder"),
    "a model of images": ("config.json", config(model_type="vit"), "'vit', which is not a text encoder"),
    "a kind that there is not": ("config.json", config(model_type="no_such"), "'no_such', which is not a text enc"),
    "a kind without a name": ("config.json", config(model_type=None), "config.json names no model_type"),
    "an encoder with a decoder": ("config.json", config(is_encoder_decoder=True), "writes texts (is_encoder_decoder)"),
    "a decoder": ("config.json", config(is_decoder=True), "a decoder (is_decoder)"),
    "cross-attention": ("config.json", config(add_cross_attention=True), "(add_cross_attention)"),
    "code of its own": ("config.json", config(auto_map={"AutoModel": "a.B"}), "never run"),
    "quantized weights": ("config.json", config(quantization_config={"bits": 4}), "quantized weights"),
    "relative positions": ("config.json", config(position_embedding_type="relative_key_query"), "no longer has for b"),
    "heads that do not divide": ("config.json", config(num_attention_heads=3), "config.json cannot be built"),
    "no such activation": (
        "config.json",
        config(hidden_act="no_such"),
        "config.json cannot be built (KeyError: 'no_su",
    ),
    "a size that is text": ("config.json", config(hidden_size="16"), "config.json cannot be built"),
    "a padding id out of the vocabulary": ("config.json", config(pad_token_id=60), "config.json cannot be built"),
    "no layers": ("config.json", config(num_hidden_layers=0), "lacks a whole number for num_hidden_layers"),
    "a billion layers": ("config.json", config(num_hidden_layers=10**9), "1000000000 layers, model.safetensors holds"),
    "layers of a terabyte": ("config.json", config(intermediate_size=10**10), "model.safetensors holds"),
    "vocabulary of another size": ("config.json", config(vocab_size=61), "config.json asks for"),
    "positions of another size": ("config.json", config(max_position_embeddings=63), "embeddings.weight has another"),
    "config cut short": ("config.json", config()[:-1], "encoders.own: the files are damaged"),
    "weights no safetensors": ("model.safetensors", b"PK\x03\x04" * 100, "encoders.own: the files are damaged"),
    "not a tokenizer": ("tokenizer.json", b"{}", "tokenizer.json is not a tokenizer that can be run"),
    "nothing around a text": ("tokenizer.json", tokenizer_of("[UNK]", "a").encode(), "does not put one piece before"),
    "more pieces than weights": ("tokenizer.json", tokenizer_of(*SPECIAL_PIECES, *MANY).encode(), "has 61 pieces, the"),
}


@pytest.mark.parametrize(("source", "fragment"), BAD_SOURCES.values(), ids=BAD_SOURCES)
def test_an_encoder_that_cannot_be_got_is_refused(put_encoder, run_here, check, source, fragment):
    put_encoder(source=source)
    check(download(run_here), Path("data/encoders"), fragment)


@pytest.mark.parametrize(("name", "content", "fragment"), BAD_FILES.values(), ids=BAD_FILES)
def test_an_encoder_that_cannot_be_read_is_refused(put_encoder, own, run_here, check, name, content, fragment):
    (own / name).unlink() if content is None else (own / name).write_bytes(content)
    put_encoder()
    check(download(run_here), Path("data/encoders"), fragment)


@pytest.mark.parametrize(
    ("key", "value", "fragment"),
    [
        ("max_length", 65, "max_length is 65; the encoder reads 64"),
        ("max_length", 10**20, "a whole number from 3 up that 32 bits hold"),
        ("layers", [0, 3], "it has hidden states 0 to 2"),
    ],
    ids=["pieces", "pieces without end", "layers"],
)
def test_more_than_an_encoder_has_is_refused_before_anything_is_computed(
    put_encoder, run_here, check, key, value, fragment
):
    put_encoder(**{key: value})
    check(download(run_here), Path("data/encoders"), fragment)


@pytest.mark.parametrize("name", ENCODER_FILES)
def test_a_file_of_other_content_is_refused(put_encoder, own, run_here, name):
    put_encoder(checksums=checksums(own) | {name: "0" * 64})
    assert f"{name} has SHA-256" in download(run_here)
    assert list(Path("data/encoders").iterdir()) == []


def test_a_mirror_without_a_file_of_the_encoder_is_named(put_encoder, run_here, monkeypatch):
    put_encoder(source=HUB)
    monkeypatch.setenv("DATA_MIRROR", "mirror")
    assert "DATA_MIRROR=mirror holds no owner/bert-tiny/config.json" in download(run_here)
    assert list(Path("data/encoders").iterdir()) == []


@pytest.mark.parametrize("over_http", [False, True], ids=["folder", "address"])
def test_the_hubs_files_come_from_a_mirror(put_encoder, tiny, run_here, monkeypatch, over_http):
    shutil.copytree(tiny, "mirror/owner/bert-tiny")
    put_encoder(source=HUB, checksums=checksums(tiny))
    handler = type("Handler", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory="mirror")) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("DATA_MIRROR", f"http://127.0.0.1:{server.server_port}" if over_http else "mirror")
        monkeypatch.setenv("NO_PROXY", "*")
        assert download(run_here) == ""
        server.shutdown()
    assert bytes_of("data/encoders/own") == bytes_of("mirror/owner/bert-tiny") == bytes_of(tiny)
    assert not Path("data/downloads").exists() or list(Path("data/downloads").iterdir()) == []


def test_a_weight_that_is_not_a_number_is_named_though_no_trial_reads_it(put_encoder, own, run_here):
    weights = load_file(own / "model.safetensors")
    weights["embeddings.word_embeddings.weight"][10] = torch.inf  # of a piece that the texts of the trial lack
    save_file(weights, own / "model.safetensors")
    put_encoder()
    assert "embeddings.word_embeddings.weight holds what is not a number" in download(run_here)


def test_an_encoder_without_a_padding_id_is_taken(put_encoder, own, run_here):
    (own / "config.json").write_bytes(config(pad_token_id=None))
    put_encoder()
    assert download(run_here) == ""
