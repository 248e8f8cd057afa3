"""Encoders: wordpieces, fetching a BERT, its hidden states, and a killed embedding."""

import json
import re
import shutil
import threading
import time
from collections import namedtuple
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file, save_file
from tqdm import tqdm
from transformers import BertConfig, BertModel

from stages import download_encoder, embed_bert, prepare, tokenize_wordpieces
from stages.common.command import InputError
from stages.common.files import sha256
from stages.encoder import feature_file
from stages.encoder import frozen as frozen_encoder
from stages.encoder.frozen import FrozenEncoder
from stages.encoder.pretrained import read_config, with_weights
from stages.models import bigru
from stages.text.wordpieces import encode, read_tokenizer
from stages.training.accelerator.transfer import made_ahead
from stages.training.inputs import read_input, write_input
from stages.training.sequences import OnDisk, Sequences, read_splits
from tests.commands import stage_command, start
from tests.encoders import BERT, ENCODER_FILES, SPECIAL_PIECES, checksums, tokenizer_of

CPU = torch.device("cpu")
ROWS = [[2, 7, 3], [2, *range(5, 45), 3], [2, 9, 8, 50, 3], [2, *range(20, 59), 3]]


def frozen(folder: Path, layers: list[int], mix: str = "mean", precision: str = "fp32") -> FrozenEncoder:
    return FrozenEncoder(folder, layers=layers, mix=mix, precision=precision, device=CPU)


def features_of(encoder: FrozenEncoder, rows: list[list[int]]) -> list[np.ndarray]:
    sequences = Sequences.of(rows)
    out = np.full((len(sequences.tokens), encoder.states * encoder.feature_size), np.nan, dtype=np.float16)
    with tqdm(disable=True) as progress:
        encoder.write(sequences, out, progress)
    return np.split(out, sequences.offsets[1:-1])


def hidden_states(folder: Path, row: list[int]) -> list[np.ndarray]:
    """What BERT itself makes of one row, every state (T, E)."""
    encoder = BertModel(BertConfig(**BERT), add_pooling_layer=False).eval()
    encoder.load_state_dict(load_file(folder / "model.safetensors"))
    with torch.no_grad():
        states = encoder(torch.tensor([row]), output_hidden_states=True).hidden_states
    return [state[0].numpy() for state in states]


def test_the_notebooks_sentence_has_its_pieces_and_ids(minilm):
    tokenizer = read_tokenizer(minilm / "tokenizer.json", 512)
    assert tokenizer.get_vocab_size() == 30522
    assert [tokenizer.token_to_id(piece) for piece in ("[CLS]", "[SEP]", "[PAD]", "[UNK]")] == [101, 102, 0, 100]
    ids = encode(tokenizer, ["Hello WORLD how ARE you?"])[0]
    assert ids == [101, 7592, 2088, 2129, 2024, 2017, 1029, 102]
    assert [tokenizer.id_to_token(number) for number in ids[1:-1]] == ["hello", "world", "how", "are", "you", "?"]


def test_a_long_text_keeps_510_pieces_between_its_ends(minilm):
    tokenizer = read_tokenizer(minilm / "tokenizer.json", 512)
    long, short = encode(tokenizer, ["good film " * 1000, "good"])
    assert long == [101, *[2204, 2143] * 255, 102]
    assert short == [101, 2204, 102]
    assert len(encode(read_tokenizer(minilm / "tokenizer.json"), ["good film " * 1000])[0]) == 2002


def test_a_bigru_on_bert_base_has_as_many_parameters_as_the_notebooks():
    with torch.device("meta"):
        model = bigru.Classifier(768, 1, 1, hidden_size=256, dropout=0.25, pooling="final")
        encoder = BertModel(BertConfig())
    own, berts = (sum(parameter.numel() for parameter in module.parameters()) for module in (model, encoder))
    assert own == 2_759_169
    assert own + berts == 112_241_409


@pytest.mark.parametrize("layers", [[2], [0, 1, 2], [0, 2]])
def test_the_mean_of_layers_is_berts_own_whatever_rows_come_along(tiny, layers):
    together = features_of(frozen(tiny, layers), ROWS)
    for row, found in zip(ROWS, together, strict=True):
        states = hidden_states(tiny, row)
        np.testing.assert_allclose(found, np.mean([states[layer] for layer in layers], axis=0), atol=2e-3)


def test_the_company_of_longer_rows_does_not_change_a_row(tiny):
    encoder = frozen(tiny, [0, 1, 2])
    together = features_of(encoder, ROWS)
    for row, found in zip(ROWS, together, strict=True):
        np.testing.assert_allclose(features_of(encoder, [row])[0], found, atol=1e-3)


def test_threads_beside_an_accelerator_write_the_same_features(tiny, monkeypatch):
    expected = features_of(frozen(tiny, [0, 2]), ROWS)
    in_threads = partial(made_ahead, device=torch.device("cuda"))
    monkeypatch.setattr(frozen_encoder, "made_ahead", lambda make, given, device: in_threads(make, given))
    for found, alone in zip(features_of(frozen(tiny, [0, 2]), ROWS), expected, strict=True):
        np.testing.assert_array_equal(found, alone)


def test_nothing_is_dropped_out(tiny):
    encoder = frozen(tiny, [1, 2])
    np.testing.assert_array_equal(features_of(encoder, ROWS)[1], features_of(encoder, ROWS)[1])


def test_the_learned_mix_keeps_the_states_side_by_side(tiny):
    encoder = frozen(tiny, [2, 0], "learned")
    assert (encoder.states, encoder.feature_size) == (2, 16)
    states = hidden_states(tiny, ROWS[0])
    np.testing.assert_allclose(features_of(encoder, ROWS[:1])[0], np.hstack([states[2], states[0]]), atol=2e-3)


def test_features_in_bf16_point_where_those_in_fp32_do(minilm):
    texts = ["A good film.", "Justice League is terrible. I hated it.", "good film " * 30, "?"]
    rows = encode(read_tokenizer(minilm / "tokenizer.json", 512), texts)
    exact, rounded = (
        np.concatenate(features_of(frozen(minilm, [0, 3, 6], precision=precision), rows)).astype(np.float64)
        for precision in ("fp32", "bf16")
    )
    cosines = (exact * rounded).sum(axis=1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(rounded, axis=1)
    assert cosines.min() > 0.999
    assert not np.array_equal(exact, rounded)


def test_weights_under_their_old_names_give_the_same_features(tiny, own):
    weights = load_file(own / "model.safetensors")
    old_names = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    old = {"bert." + re.sub("LayerNorm.*", lambda end: old_names[end[0]], name): weights[name] for name in weights}
    assert sum(name.endswith(("gamma", "beta")) for name in old) == 10
    save_file(old | {"cls.predictions.bias": torch.zeros(60)}, own / "model.safetensors")
    expected, found = (np.concatenate(features_of(frozen(folder, [2]), ROWS)) for folder in (tiny, own))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", ["dtype", "torch_dtype"])
def test_a_checkpoint_in_half_precision_is_computed_in_fp32(tiny, name):
    half = {key: weight.half() for key, weight in load_file(tiny / "model.safetensors").items()}
    loaded = with_weights(read_config(BERT | {name: "float16"}), half)
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}


@pytest.mark.parametrize(
    ("name", "weight", "said"),
    [
        ("encoder.layer.1.output.dense.weight", None, "{} is missing"),
        ("encoder.layer.1.output.dense.weight", torch.zeros(16, 31), "{} has another shape"),
        ("encoder.layer.1.attention.self.distance_embedding.weight", torch.zeros(127, 8), "nothing reads {}"),
        ("encoder.layer.1.crossattention.self.key.bias", torch.zeros(16), "nothing reads {}"),
        ("embeddings.adapter.weight", torch.zeros(16), "nothing reads {}"),
        ("bert.embeddings.LayerNorm.weight", torch.ones(16), "embeddings.LayerNorm.weight is there a second time"),
    ],
)
def test_a_weight_that_does_not_fit_is_named(own, name, weight, said):
    weights = load_file(own / "model.safetensors")
    weights.pop(name, None)
    save_file(weights | ({} if weight is None else {name: weight}), own / "model.safetensors")
    with pytest.raises(InputError, match=re.escape(f"config.json: {said.format(name)}; fetch another encoder") + "$"):
        frozen(own, [2])


def test_a_layer_that_is_not_there_is_refused(tiny):
    with pytest.raises(InputError, match=r"layers name 3; it has hidden states 0 to 2$"):
        frozen(tiny, [0, 3])


def new_bigru(states: int) -> bigru.Classifier:
    return bigru.Classifier(16, states, 2, hidden_size=6, dropout=0.25, pooling="max")


def test_a_learned_mix_starts_as_the_mean_and_is_trained():
    torch.manual_seed(1)
    several, one = new_bigru(3), new_bigru(1)
    one.load_state_dict({name: tensor for name, tensor in several.state_dict().items() if name != "mix"})
    words, lengths = torch.randn(4, 7, 48), torch.tensor([7, 3, 1, 5])
    mean = words.unflatten(2, (3, 16)).mean(dim=2)
    torch.testing.assert_close(several.eval()(words, lengths), one.eval()(mean, lengths), atol=1e-5, rtol=1e-5)
    several(words, lengths)[:, 0].sum().backward()
    assert several.mix.grad.abs().min() > 0


def rows_of(count: int, seed: int = 1) -> Sequences:
    generator = np.random.default_rng(seed)
    return Sequences.of([generator.integers(5, 60, generator.integers(2, 30)).tolist() for _ in range(count)])


def fill(path: Path, rows: Sequences, shards: int | None = None) -> feature_file.FeatureFile:
    """Write features that follow from the tokens, and stop in the middle of the shard after so many."""
    file = feature_file.FeatureFile(path, rows, 4)
    for number, (part, array) in enumerate(file.missing()):
        if number == shards:
            break
        array[:] = part.tokens[:, None] * np.array([1, 0.5, -1, 3])
    return file


@pytest.mark.parametrize("tail", [b"", b"x", b"torn" * 30], ids=["whole", "torn", "torn by more than a token"])
def test_a_feature_file_goes_on_after_each_shard_to_the_same_bytes(tmp_path, monkeypatch, tail):
    monkeypatch.setattr(feature_file, "SHARD", 50)
    rows = rows_of(30)
    shards = len(fill(tmp_path / "whole.npy", rows).ends)
    assert 5 < shards < 30
    expected = (tmp_path / "whole.npy").read_bytes()
    for kept in range(shards + 1):
        path = tmp_path / f"{kept}.npy"
        fill(path, rows, kept)
        assert (len(path.read_bytes()) == len(expected)) == (kept == shards)
        with path.open("ab") as file:
            file.write(tail)
        resumed = fill(path, rows)
        assert resumed.written == rows.offsets[[0, *resumed.ends]][kept]
        assert path.read_bytes() == expected


@pytest.mark.parametrize("size", [0, 1, 60])
def test_a_feature_file_torn_in_its_header_is_begun_again(tmp_path, size):
    rows = rows_of(30)
    fill(tmp_path / "whole.npy", rows)
    expected = (tmp_path / "whole.npy").read_bytes()
    (tmp_path / "torn.npy").write_bytes(expected[:size])
    fill(tmp_path / "torn.npy", rows)
    assert (tmp_path / "torn.npy").read_bytes() == expected


def test_a_disk_without_room_is_reported_before_anything_is_computed(tmp_path, monkeypatch):
    rows = rows_of(30)
    files = [feature_file.FeatureFile(tmp_path / f"{name}.npy", rows, 4) for name in "ab"]
    needed = 2 * 8 * len(rows.tokens)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(feature_file.shutil, "disk_usage", lambda _: usage(0, 0, needed))
    feature_file.check_space(files)
    monkeypatch.setattr(feature_file.shutil, "disk_usage", lambda _: usage(0, 0, needed - 1))
    with pytest.raises(InputError, match=r"the features take .* GB and .* GB are free; free some"):
        feature_file.check_space(files)


@pytest.fixture
def feature_splits(tmp_path) -> dict[str, Sequences]:
    for split, seed in (("train", 1), ("valid", 2)):
        rows = rows_of(6, seed)
        fill(tmp_path / f"{split}.npy", rows)
        embed_bert.write_rows(tmp_path / f"{split}.parquet", rows)
    return read_splits(tmp_path)


def test_a_batch_of_features_is_padded_with_zeros(feature_splits):
    rows, tokens = feature_splits["train"], rows_of(6, 1)
    batch, lengths, _ = rows.batch(np.array([4, 0, 2]), CPU)
    assert isinstance(rows.tokens, OnDisk)
    assert batch.dtype == torch.float16
    assert batch.shape == (3, lengths.max(), 4)
    for number, row in enumerate([4, 0, 2]):
        expected = np.zeros((lengths.max(), 4))
        words = tokens.part(row, row + 1).tokens
        expected[: len(words)] = words[:, None] * np.array([1, 0.5, -1, 3])
        np.testing.assert_array_equal(batch[number], expected)


def test_two_splits_of_features_are_read_as_one(feature_splits):
    train, valid = feature_splits["train"], feature_splits["valid"]
    both = train + valid + train
    assert len(both) == 18
    for row in range(18):
        split = valid if 6 <= row < 12 else train
        assert torch.equal(both.batch(np.array([row]), CPU)[0], split.batch(np.array([row % 6]), CPU)[0])
    mixed, lengths, _ = both.batch(np.array([13, 7, 1]), CPU)
    assert torch.equal(mixed[0], mixed[2])
    assert torch.equal(mixed[1, : lengths[1]], valid.batch(np.array([1]), CPU)[0][0])


def download(run_here: Callable[..., str]) -> str:
    return run_here(download_encoder, encoder="own", downloads="data/downloads", out="data/encoders/own")


def bytes_of(folder: Path | str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


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
def test_an_encoder_that_cannot_be_got_is_refused(put_encoder, run_here, source, fragment):
    put_encoder(source=source)
    assert fragment in download(run_here)
    assert list(Path().rglob("data/encoders/*")) == []


@pytest.mark.parametrize(("name", "content", "fragment"), BAD_FILES.values(), ids=BAD_FILES)
def test_an_encoder_that_cannot_be_read_is_refused(put_encoder, own, run_here, name, content, fragment):
    (own / name).unlink() if content is None else (own / name).write_bytes(content)
    put_encoder()
    assert fragment in download(run_here)
    assert list(Path("data/encoders").iterdir()) == []


@pytest.mark.parametrize(
    ("key", "value", "fragment"),
    [
        ("max_length", 65, "max_length is 65; the encoder reads 64"),
        ("max_length", 10**20, "a whole number from 3 up that 32 bits hold"),
        ("layers", [0, 3], "it has hidden states 0 to 2"),
    ],
)
def test_more_than_an_encoder_has_is_refused_before_anything_is_computed(put_encoder, run_here, key, value, fragment):
    put_encoder(**{key: value})
    assert fragment in download(run_here)
    assert list(Path().rglob("data/encoders/*")) == []


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


EMBED = {"corpus": "own", "encoder": "own", "wordpieces": "wordpieces", "weights": "encoder"}
EMBED |= {"checkpoints": "checkpoints", "out": "features"}


def test_a_corpus_goes_through_the_real_stages_into_features(put_encoder, project, own, run_here):
    put_encoder(max_length=6)
    for split in ("train", "valid", "test"):
        project.write(f"raw/{split}.tsv", b"text\tlabel\nGood FILMS\t1\nbad bad bad bad bad\t0\n")
    assert run_here(prepare, corpus="own", raw="raw", out="rows") == ""
    options = {"corpus": "own", "encoder": "own", "rows": "rows", "weights": own, "out": "wordpieces"}
    assert run_here(tokenize_wordpieces, **options) == ""
    assert read_splits(Path("wordpieces"))["train"].tokens.tolist() == [2, 5, 7, 8, 3, 2, 6, 6, 6, 6, 3]
    assert run_here(embed_bert, **EMBED) == ""
    about = read_input(Path("features"))
    assert about["arguments"] == {"feature_size": 16, "states": 2}
    assert (about["kind"], about["files"], about["max_length"]) == ("features", ["tokenizer.json"], 6)
    assert about["encoder"]["weights"] == sha256(own / "model.safetensors")
    for rows in read_splits(Path("features")).values():
        assert rows.labels.tolist() == [1, 0]
        states = hidden_states(own, [2, 5, 7, 8, 3])
        np.testing.assert_allclose(rows.part(0, 1).tokens, np.hstack([states[0], states[2]]), atol=4e-3)


@pytest.mark.parametrize(("text", "warned"), [("ดีมาก", True), ("good ดี", False), ("films", False)])
def test_texts_that_an_encoder_does_not_know_are_warned_of(put_encoder, project, own, run_here, capsys, text, warned):
    put_encoder()
    for split in ("train", "valid", "test"):
        project.write(f"raw/{split}.tsv", f"text\tlabel\n{text}\t1\n{text}\t0\n".encode())
    assert run_here(prepare, corpus="own", raw="raw", out="rows") == ""
    options = {"corpus": "own", "encoder": "own", "rows": "rows", "weights": own, "out": "wordpieces"}
    capsys.readouterr()
    assert run_here(tokenize_wordpieces, **options) == ""
    assert ("100% of the pieces of valid are unknown to the encoder own" in capsys.readouterr().err) == warned


def test_a_killed_embedding_ends_in_the_bytes_of_a_clean_one(put_encoder, project, own, run_here):
    put_encoder()
    about = {"kind": "wordpieces", "arguments": {"config": BERT, "precision": "fp32"}, "max_length": 64}
    wordpieces, checkpoints, out = Path("wordpieces"), Path("checkpoints"), Path("features")
    wordpieces.mkdir()
    write_input(wordpieces, files_to_keep=["tokenizer.json"], **about)
    shutil.copy(own / "tokenizer.json", wordpieces)
    for split, count in (("train", 10_000), ("valid", 200), ("test", 200)):
        rows = rows_of(count)
        tokens = pa.ListArray.from_arrays(pa.array(rows.offsets, pa.int32()), rows.tokens)
        pq.write_table(
            pa.table({"id": rows.ids, "label": rows.labels, "tokens": tokens}), wordpieces / f"{split}.parquet"
        )

    embed = stage_command("embed_bert", **EMBED)
    with start(project.folder, *embed) as killed:
        while killed.poll() is None and not any(
            file.stat().st_size > 2**20 for file in checkpoints.glob("*-train.npy")
        ):
            time.sleep(0.001)
        killed.kill()
    assert not out.exists()
    (partial_file,) = checkpoints.glob("*-train.npy")
    kept = partial_file.stat()
    with start(project.folder, *embed) as resumed:
        assert run_here(embed_bert, **EMBED | {"checkpoints": "others", "out": "clean"}) == ""
        assert resumed.wait() == 0, resumed.communicate()[1]
    finished = (out / "train.npy").stat()
    assert kept.st_ino == finished.st_ino
    assert kept.st_size < finished.st_size
    assert bytes_of(out) == bytes_of("clean")
    assert list(checkpoints.iterdir()) == []
