"""Encoders: wordpieces, hidden states, and a killed embedding."""

import re
import shutil
import time
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel

from stages import embed_bert, prepare, tokenize_wordpieces
from stages.common.command import InputError
from stages.common.files import sha256
from stages.encoder import frozen as frozen_encoder
from stages.encoder.frozen import FrozenEncoder
from stages.encoder.pretrained import read_config, with_weights
from stages.models import bigru
from stages.text.wordpieces import encode, read_tokenizer
from stages.training.accelerator.transfer import made_ahead
from stages.training.inputs import read_input, write_input
from stages.training.sequences import read_splits
from tests.commands import stage_command, start
from tests.encoder.features import CPU, features_of, rows_of
from tests.encoders import BERT, bytes_of

ROWS = [[2, 7, 3], [2, *range(5, 45), 3], [2, 9, 8, 50, 3], [2, *range(20, 59), 3]]


def frozen(folder: Path, layers: list[int], mix: str = "mean", precision: str = "fp32") -> FrozenEncoder:
    return FrozenEncoder(folder, layers=layers, mix=mix, precision=precision, device=CPU)


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
