"""Encoders of every kind: hidden states, padding, fine-tuning, predictions, and the stages."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, PreTrainedTokenizerFast

from stages import download_encoder, embed_bert, evaluate, predict, prepare, tokenize_wordpieces, train
from stages.encoder import feature_file, pretrained
from stages.encoder.feature_file import FeatureFile
from stages.encoder.frozen import FrozenEncoder
from stages.encoder.pretrained import longest_input, new_encoder, read_config
from stages.encoder.trial import check_encoder
from stages.models import finetuned
from stages.text.wordpieces import encode, read_tokenizer
from stages.training.sequences import Sequences
from stages.training.trainer import Trainer
from tests.encoder.features import features_of
from tests.encoder.kinds import KINDS, write_encoder
from tests.encoders import checksums
from tests.projects import REPOSITORY, Project, read_params

CPU = torch.device("cpu")
TEXTS = ["A good film", "bad", "Good, bad or neither: who knows what the film was about", "the end of it"]
ROWS = {"train": 24, "valid": 12, "test": 12}
TUNED = {"input": "wordpieces", "pretrained": "data/encoders/own/model.safetensors"}
OPTIMIZATION = {"learning_rate": 0.01, "weight_decay": 0.01, "clip_norm": 1.0, "average_decay": 0.9}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("kinds")
    return {kind: write_encoder(folder / kind, kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_features_are_the_hidden_states_that_transformers_has_whatever_rows_come_along(folders, kind):
    folder = folders[kind]
    check_encoder(folder, kind, max_length=64, layers=[0, 2])
    rows = encode(read_tokenizer(folder / "tokenizer.json", 64), TEXTS)
    theirs = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    layers = list(range(theirs.config.num_hidden_layers + 1))
    frozen = FrozenEncoder(folder, layers=layers, mix="learned", precision="fp32", device=CPU)
    for text, row, found in zip(TEXTS, rows, features_of(frozen, rows), strict=True):
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        assert ids.tolist() == [row]
        with torch.no_grad():
            states = theirs(ids, output_hidden_states=True).hidden_states
        np.testing.assert_allclose(found, torch.cat(states, dim=2)[0], atol=2e-3, rtol=1e-3)
        assert np.abs(found).max() > 0.1


@pytest.mark.parametrize("kind", ["albert", "roberta"])
def test_word_embeddings_are_the_rows_of_the_encoders_table_wherever_a_piece_is(folders, kind):
    frozen = FrozenEncoder(folders[kind], layers="word_embeddings", mix="mean", precision="fp32", device=CPU)
    [table] = [
        weight.half().numpy()
        for name, weight in load_file(folders[kind] / "model.safetensors").items()
        if name.endswith("word_embeddings.weight")
    ]
    assert frozen.feature_size == table.shape[1] == {"albert": 8, "roberta": 16}[kind]
    for row, found in zip(rows := [[2, 9, 9, 3], [2, 8, 3]], features_of(frozen, rows), strict=True):
        np.testing.assert_array_equal(found, table[row])


@pytest.mark.parametrize("kind", KINDS)
def test_as_many_pieces_are_read_as_an_encoder_has_positions_for(folders, kind):
    sizes, _ = KINDS[kind]
    encoder = new_encoder(read_config({"model_type": kind} | sizes)).eval()
    longest = longest_input(encoder)
    assert longest == (64 if kind in ("camembert", "mpnet", "roberta", "xlm-roberta") else 66)
    pretrained.encode(encoder, torch.full((1, longest), 9), torch.tensor([longest]))
    if longest == 64:
        with pytest.raises((IndexError, RuntimeError)):
            pretrained.encode(encoder, torch.full((1, 65), 9), torch.tensor([65]))


@pytest.mark.parametrize("kind", pretrained.TAKE_BOOLEANS)
def test_the_mask_for_a_gpu_says_what_the_usual_one_does(folders, kind):
    encoder = AutoModel.from_pretrained(folders[kind]).eval()
    ids, mask = torch.full((2, 9), 9), torch.arange(9) < torch.tensor([9, 5])[:, None]
    usual, booleans = (
        encoder(ids, attention_mask=given, output_hidden_states=True).hidden_states
        for given in (mask.long(), mask[:, None, None])
    )
    for one, other in zip(usual, booleans, strict=True):
        torch.testing.assert_close(one[mask], other[mask])


def new_classifier(folder: Path) -> finetuned.Classifier:
    config = json.loads((folder / "config.json").read_text())
    torch.manual_seed(1)
    model = finetuned.Classifier(config, "fp32", 2, dropout=0.1)
    model.load_pretrained(load_file(folder / "model.safetensors"))
    return model


@pytest.mark.parametrize("kind", KINDS)
def test_a_finetuned_encoder_ignores_padding_and_a_step_moves_its_weights(folders, kind):
    rows = Sequences.of(encode(read_tokenizer(folders[kind] / "tokenizer.json", 64), TEXTS))
    model = new_classifier(folders[kind]).eval()
    ids, lengths, labels = rows.padded(np.arange(4))
    together = model(ids, lengths)
    for row, length in enumerate(lengths):
        alone = model(ids[row : row + 1, :length], lengths[row : row + 1])
        torch.testing.assert_close(alone, together[row : row + 1], atol=1e-5, rtol=1e-4)
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    trainer = Trainer(model, CPU, **OPTIMIZATION, label_smoothing=0.1)
    trainer.gradients(ids, lengths, labels)
    trainer.optimizer.step()
    still = [name for name, weight in model.named_parameters() if torch.equal(weight, before[name])]
    assert [name for name in still if not name.endswith("key.bias")] == []  # which shifts every score alike


def run_stages(project: Project, run_here: Callable[..., str], folder: Path) -> None:
    """From some rows of the embedded corpus to trained models and their metrics, without DVC."""
    project.set("corpora.own", read_params(REPOSITORY)["corpora"]["sample"])
    for split, rows in ROWS.items():
        lines = (REPOSITORY / f"data/sample/{split}.tsv").read_bytes().splitlines(keepends=True)
        project.write(f"raw/{split}.tsv", b"".join(lines[: rows + 1]))
    described = {"source": {"folder": str(folder)}, "checksums": checksums(folder), "max_length": 64}
    project.set("encoders.own", described | {"layers": [0, 1, 2], "mix": "mean", "optimization": {}})
    project.set("corpora.own.training", {"batch_size": 4, "epochs": 3, "patience": 3, "final_fit": False})
    project.set("corpora.own.finetuning", {"batch_size": 4, "epochs": 3, "patience": 3, "final_fit": False})
    corpus, encoder, weights = {"corpus": "own"}, {"encoder": "own"}, {"weights": "data/encoders/own"}
    download = {"downloads": "data/downloads", "out": "data/encoders/own"}
    assert run_here(prepare, **corpus, raw="raw", out="rows") == ""
    assert run_here(download_encoder, **encoder, **download) == ""
    assert run_here(tokenize_wordpieces, **corpus, **encoder, **weights, rows="rows", out="wordpieces") == ""
    embed(run_here)
    train_model(run_here, "bigru", "training", input="features")
    train_model(run_here, "finetuned", "finetuning", **TUNED)


def embed(run_here: Callable[..., str], out: str = "features") -> None:
    paths = {"wordpieces": "wordpieces", "weights": "data/encoders/own", "checkpoints": "embedding", "out": out}
    assert run_here(embed_bert, corpus="own", encoder="own", **paths) == ""


def train_model(run_here: Callable[..., str], model: str, settings: str, folder: str = "trained", **paths: str) -> None:
    out = f"{folder}/own_{model}"
    paths |= {"checkpoints": f"checkpoints/{model}", "out": f"{out}/1"}
    assert run_here(train, corpus="own", model=model, seed=1, settings=settings, **paths) == ""
    files = {"metrics": f"{out}.json", "predictions": f"{out}.parquet", "confusion": f"{out}.csv"}
    assert run_here(evaluate, trained=out, curves=f"{out}_curves.csv", **files) == ""


@pytest.fixture
def here(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(project.folder)
    monkeypatch.setenv("DEVICE", "cpu")
    project.set("run.seeds", [1])
    return project


def bytes_of(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


@pytest.mark.parametrize("kind", ["distilbert", "modernbert", "roberta"])
def test_an_encoder_goes_through_the_stages_to_answers(here, run_here, folders, kind, capsys):
    run_stages(here, run_here, folders[kind])
    Path("models").mkdir()
    Path("trained").rename("models/own")
    texts = here.write("texts", "\n".join(pd.read_parquet("rows/test.parquet")["text"]).encode())
    for model in ("own_bigru", "own_finetuned"):
        assert json.loads(Path(f"models/own/{model}.json").read_text())["test"]["n"] == ROWS["test"]
        capsys.readouterr()
        assert run_here(predict, corpus="own", model=model, trained="models", file=texts) == ""
        answers = [json.loads(line)["probability"] for line in capsys.readouterr().out.splitlines()]
        saved = pd.read_parquet(f"models/own/{model}/1/predictions.parquet").query("split == 'test'")
        assert answers == pytest.approx(saved["probability_positive"].tolist(), abs=1e-5)
        assert len(set(answers)) == ROWS["test"]


class Killed(BaseException):
    """Raised instead of a signal that ends the process."""


def test_a_modernbert_killed_while_it_embeds_and_trains_ends_in_the_same_bytes(here, run_here, folders, monkeypatch):
    monkeypatch.setattr(feature_file, "SHARD", 400)  # tokens, of more than one in every split
    run_stages(here, run_here, folders["modernbert"])
    shards = FeatureFile.missing

    def killed_after_a_shard(file: FeatureFile):
        yield next(shards(file))
        raise Killed

    epochs = Trainer.train_epoch

    def killed_in_an_epoch(trainer: Trainer, rows, batches, steps: int, description: str) -> float:
        if description == "epoch 2":
            raise Killed
        return epochs(trainer, rows, batches, steps, description)

    monkeypatch.setattr(FeatureFile, "missing", killed_after_a_shard)
    with pytest.raises(Killed):
        embed(run_here, "again")
    monkeypatch.setattr(FeatureFile, "missing", shards)
    embed(run_here, "again")
    assert bytes_of("again") == bytes_of("features")

    monkeypatch.setattr(Trainer, "train_epoch", killed_in_an_epoch)
    with pytest.raises(Killed):
        train_model(run_here, "finetuned", "finetuning", "again_trained", **TUNED)
    monkeypatch.setattr(Trainer, "train_epoch", epochs)
    train_model(run_here, "finetuned", "finetuning", "again_trained", **TUNED)
    assert bytes_of("again_trained/own_finetuned/1") == bytes_of("trained/own_finetuned/1")


def test_weights_of_a_head_are_left_out_and_make_no_difference(folders, tmp_path):
    weights = load_file(folders["roberta"] / "model.safetensors")
    named = {f"roberta.{name}": weight for name, weight in weights.items()}
    head = {"lm_head.bias": torch.zeros(280), "roberta.pooler.dense.bias": torch.zeros(16)}
    numbers = {"roberta.embeddings.position_ids": torch.arange(66)[None]}
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes((folders["roberta"] / name).read_bytes())
    save_file(named | head | numbers, tmp_path / "model.safetensors")
    check_encoder(tmp_path, "roberta", max_length=64, layers=[2])
    settings = {"layers": [2], "mix": "mean", "precision": "fp32", "device": CPU}
    rows = encode(read_tokenizer(tmp_path / "tokenizer.json"), TEXTS)
    for one, other in zip(
        features_of(FrozenEncoder(tmp_path, **settings), rows),
        features_of(FrozenEncoder(folders["roberta"], **settings), rows),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
