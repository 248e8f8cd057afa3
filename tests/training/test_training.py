"""The training loop: batches, same seed same bytes, resumption, early stopping."""

import json
from collections.abc import Callable

import numpy as np
import pytest
import torch
from safetensors.torch import save

from stages.common.command import InputError
from stages.models import finetuned, glove_lstm, lstm, notebook_bigru
from stages.training.accelerator.devices import choose_device
from stages.training.accelerator.transfer import made_ahead
from stages.training.checkpoints import Checkpoint, remove_checkpoints
from stages.training.inference import predict
from stages.training.loop import fit
from stages.training.sequences import EVALUATION_TOKENS, POOL, Sequences, evaluation_batches, training_batches
from stages.training.trainer import Trainer

CPU = torch.device("cpu")
SETTINGS = {"batch_size": 8, "epochs": 4, "patience": 4}


class Killed(BaseException):
    """Like a signal that ends the process."""


def sequences(rows: int, seed: int = 0) -> Sequences:
    generator = np.random.default_rng(seed)
    lengths = generator.integers(1, 9, rows)
    tokens = generator.integers(2, 30, lengths.sum()).astype(np.int32)
    return Sequences(
        ids=np.arange(rows).astype(str),
        labels=generator.integers(0, 2, rows),
        tokens=tokens,
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
    )


def new_lstm() -> torch.nn.Module:
    return lstm.Classifier(30, 2, embedding_size=8, hidden_size=8, word_dropout=0.2, pooling="max")


def new_glove_lstm() -> torch.nn.Module:
    sizes = {"embedding_size": 8, "hidden_size": 8, "word_dropout": 0.2, "input_dropout": 0.2, "output_dropout": 0.2}
    return glove_lstm.Classifier(30, 2, freeze=True, pooling="max", **sizes)


def new_bert() -> torch.nn.Module:
    config = {
        "model_type": "bert",
        "vocab_size": 30,
        "hidden_size": 8,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    return finetuned.Classifier({**config, "intermediate_size": 16}, "fp32", 2, dropout=0.2)


def new_partly_frozen_bert() -> torch.nn.Module:
    config = {"vocab_size": 30, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2}
    options = {"pooling": "first", "frozen_layers": 1, "gradient_checkpointing": True}
    return finetuned.Classifier(
        {"model_type": "bert", **config, "intermediate_size": 16}, "fp32", 2, dropout=0.2, **options
    )


def trainer(new_model: Callable[[], torch.nn.Module] = new_lstm, **options: object) -> Trainer:
    torch.manual_seed(3)
    model = new_model()
    settings = {"learning_rate": 0.01, "weight_decay": 0.01, "clip_norm": 1.0, "average_decay": 0.9}
    return Trainer(model, CPU, **settings, label_smoothing=0.1, **options)


def train(folder, new_model=new_lstm, **settings) -> tuple[bytes, list[dict]]:
    new = trainer(new_model, warmup=0.2)
    progress = fit(new, sequences(45), sequences(20, 1), Checkpoint(folder, "key"), seed=3, **SETTINGS | settings)
    return save(new.best), progress.history


@pytest.mark.parametrize("rows", [1, 7, 8, 45, POOL * 8 + 3])
def test_an_epoch_holds_every_row_once_and_only_the_last_batch_may_be_short(rows):
    lengths = np.random.default_rng(0).integers(1, 50, rows)
    batches = list(training_batches(lengths, 8, np.random.default_rng(1)))
    assert sorted(np.concatenate(batches)) == list(range(rows))
    assert sorted(map(len, batches))[1:] == [8] * (len(batches) - 1)


def test_an_evaluation_holds_every_row_once_and_no_batch_is_larger_than_its_budget_or_one_row():
    lengths = np.random.default_rng(0).integers(1, 2 * EVALUATION_TOKENS["cpu"], 40)
    lengths = np.concatenate([lengths, np.random.default_rng(0).integers(1, 50, 4000)])
    batches = list(evaluation_batches(lengths, CPU))
    assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
    assert all(len(batch) == 1 or len(batch) * lengths[batch].max() <= EVALUATION_TOKENS["cpu"] for batch in batches)
    assert len(batches) < 40 + 1.1 * lengths[40:].sum() / EVALUATION_TOKENS["cpu"]  # the short rows fill theirs


def test_a_batch_holds_rows_of_like_length():
    lengths = np.random.default_rng(0).integers(1, 50, 4000)
    spread = [np.ptp(lengths[batch]) for batch in training_batches(lengths, 8, np.random.default_rng(1))]
    assert np.mean(spread) < 3


def test_a_batch_is_padded_behind_its_rows():
    rows = Sequences(np.array(["a", "b"]), np.array([1, 0]), np.array([5, 6, 7], dtype=np.int32), np.array([0, 1, 3]))
    ids, lengths, labels = rows.batch(np.array([1, 0]), CPU)
    assert ids.tolist() == [[6, 7], [5, 0]]
    assert lengths.tolist() == [2, 1]
    assert labels.tolist() == [0, 1]


def test_predictions_come_in_the_order_of_the_rows():
    model = trainer().model.eval()
    rows = sequences(3000)
    logits = predict(model, rows, CPU)
    for row in (0, 1023, 1024, 2999):
        ids, lengths, _ = rows.batch(np.array([row]), CPU)
        torch.testing.assert_close(logits[row], model(ids, lengths)[0], atol=1e-6, rtol=1e-5)


def test_same_seed_same_bytes(tmp_path):
    first, _ = train(tmp_path / "first")
    assert train(tmp_path / "second")[0] == first


@pytest.mark.parametrize("new_model", [new_lstm, new_glove_lstm, new_bert, new_partly_frozen_bert])
@pytest.mark.parametrize("killed_after", [1, 2, 3])
def test_a_killed_training_ends_in_the_same_bytes(tmp_path, monkeypatch, killed_after, new_model):
    expected = train(tmp_path / "whole", new_model)
    epochs = 0

    def killed_in_an_epoch(*arguments):
        nonlocal epochs
        epochs += 1
        if epochs > killed_after:
            raise Killed
        return train_epoch(*arguments)

    train_epoch = Trainer.train_epoch
    monkeypatch.setattr(Trainer, "train_epoch", killed_in_an_epoch)
    with pytest.raises(Killed):
        train(tmp_path / "killed", new_model)
    monkeypatch.setattr(Trainer, "train_epoch", train_epoch)

    assert train(tmp_path / "killed", new_model) == expected


def test_a_checkpoint_that_is_broken_is_as_good_as_none(tmp_path):
    expected = train(tmp_path / "whole")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "key.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    assert train(tmp_path / "broken") == expected


def test_training_stops_when_validation_no_longer_gets_better(tmp_path):
    _, history = train(tmp_path, epochs=200, patience=3)
    losses = [entry["valid_loss"] for entry in history]
    assert len(history) < 200
    assert len(history) - 1 - int(np.argmin(losses)) == 3


def test_the_checkpoint_survives_json(tmp_path):
    checkpoint = Checkpoint(tmp_path, "a" * 64 + "-1")
    checkpoint.save({"weight": torch.arange(3.0)}, {"epoch": 2})
    tensors, progress = checkpoint.load()
    assert json.dumps(progress) == '{"epoch": 2}'
    assert tensors["weight"].tolist() == [0, 1, 2]
    (tmp_path / "other.safetensors").touch()
    (tmp_path / f".{'b' * 64}-2.safetensors.tmp").touch()  # of a training killed while it saved
    remove_checkpoints(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["other.safetensors"]
    assert checkpoint.load() is None


def test_a_loss_out_of_bounds_ends_training_in_one_sentence(tmp_path):
    diverging = trainer()
    diverging.learning_rate = float("inf")
    with pytest.raises(InputError, match="learning_rate"):
        fit(diverging, sequences(45), sequences(20, 1), Checkpoint(tmp_path, "key"), seed=3, **SETTINGS)


def test_a_device_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setenv("DEVICE", "abacus")
    with pytest.raises(InputError, match="DEVICE=abacus"):
        choose_device()


def test_without_validation_rows_the_last_epoch_is_kept(tmp_path):
    final = trainer()
    progress = fit(final, sequences(45), None, Checkpoint(tmp_path, "key"), seed=3, **SETTINGS | {"patience": 1})
    assert progress.epoch == progress.best_epoch == SETTINGS["epochs"]
    assert [list(entry) for entry in progress.history] == [["epoch", "train_loss"]] * SETTINGS["epochs"]


def test_the_learning_rate_warms_up_and_falls_in_straight_lines():
    warm = trainer(warmup=0.25)
    factors = [warm.learning_rate_schedule(step / 8) for step in range(9)]
    assert factors == pytest.approx([0, 0.5, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6, 0], abs=1e-6)
    assert trainer().learning_rate_schedule(0.9) == 1


def test_a_training_stopped_on_the_way_has_the_learning_rates_of_the_whole(tmp_path):
    settings = {"seed": 3, **SETTINGS}
    whole, part = trainer(warmup=0.1), trainer(warmup=0.1)
    history = fit(whole, sequences(45), None, Checkpoint(tmp_path, "whole"), **settings).history
    stopped = fit(part, sequences(45), None, Checkpoint(tmp_path, "part"), last_epoch=2, **settings).history
    assert stopped == history[:2]


def test_sequences_add_up_row_by_row():
    first, second = sequences(5), sequences(7, 1)
    both = first + second
    assert len(both) == 12
    for row in range(7):
        ours = both.batch(np.array([5 + row]), CPU)
        assert [part.tolist() for part in ours] == [part.tolist() for part in second.batch(np.array([row]), CPU)]


def test_a_build_for_gpus_trains_on_the_cpu_where_there_is_none(monkeypatch):
    monkeypatch.delenv("DEVICE", raising=False)
    monkeypatch.setattr(torch._C, "_accelerator_getAccelerator", lambda: torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device() == CPU


class SmallMemory(torch.nn.Module):
    """A model on a device whose memory holds no more than some rows at once."""

    def __init__(self, rows: int):
        super().__init__()
        self.model = lstm.Classifier(30, 2, embedding_size=8, hidden_size=8, word_dropout=0.0, pooling="max")
        self.rows = rows

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        if len(ids) > self.rows:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self.model(ids, lengths)


@pytest.mark.parametrize("weights", [None, np.array([0.5, 3.0])], ids=["all rows alike", "class weights"])
def test_gradients_in_parts_are_those_of_the_whole_batch(capsys, weights):
    batch = sequences(20).padded(np.arange(13))
    whole, parts = (trainer(lambda memory=memory: SmallMemory(memory), class_weights=weights) for memory in (13, 4))
    losses = [training.gradients(*batch).item() for training in (whole, parts)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    assert parts.parts == 4
    for one, other in zip(whole.trained, parts.trained, strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-7)
    assert "out of memory; a batch now comes in 4 parts" in capsys.readouterr().out


def test_memory_too_small_for_one_row_ends_in_one_sentence():
    with pytest.raises(InputError, match="cpu has too little memory for one row; set DEVICE=cpu"):
        trainer(lambda: SmallMemory(0)).gradients(*sequences(20).padded(np.arange(13)))


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_what_is_made_ahead_comes_in_order(device):
    assert list(made_ahead(lambda number: number**2, range(20), torch.device(device))) == [n**2 for n in range(20)]


def test_an_error_made_ahead_is_raised_where_its_turn_is():
    made = made_ahead(lambda number: 1 / (3 - number), range(20), torch.device("cuda"))
    assert [next(made) for _ in range(3)] == [1 / 3, 1 / 2, 1]
    with pytest.raises(ZeroDivisionError):
        next(made)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU: CUDA graphs cannot be recorded")
def test_a_recorded_step_learns_what_its_kernels_learn_one_by_one(tmp_path):
    ends = []
    for graphs in (True, False):
        torch.manual_seed(3)
        settings = {"learning_rate": 0.01, "weight_decay": 0.01, "clip_norm": 1.0, "average_decay": 0.9}
        model = lstm.Classifier(30, 2, embedding_size=8, hidden_size=8, word_dropout=0, pooling="max")
        new = Trainer(model, torch.device("cuda"), **settings, label_smoothing=0.1)
        new.graphs = new.graphs if graphs else None
        fit(new, sequences(45), sequences(20, 1), Checkpoint(tmp_path / str(graphs), "key"), seed=3, **SETTINGS)
        ends.append(new.model.state_dict())
    for recorded, launched in zip(*(end.values() for end in ends), strict=True):
        torch.testing.assert_close(recorded, launched, rtol=1e-4, atol=1e-5)


class OnRandomFeatures(notebook_bigru.Classifier):
    """Notebook N's network on features that are drawn for each id."""

    def __init__(self):
        super().__init__(feature_size=4, states=1, classes=2, hidden_size=3, dropout=0.2)
        self.register_buffer("features", torch.randn(30, 4))

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        return super().forward(self.features[ids], lengths)  # (B, T) → (B, T, 4) → (B, C)


def test_no_clipping_trains_as_a_norm_that_no_gradient_has(tmp_path):
    """Notebook N's network was trained with a norm of 1e6 before null said it: the same bytes."""

    def trained(clip_norm: float | None) -> bytes:
        torch.manual_seed(3)
        settings = {"learning_rate": 0.001, "weight_decay": 0, "average_decay": 0, "label_smoothing": 0}
        new = Trainer(OnRandomFeatures(), CPU, clip_norm=clip_norm, **settings)
        fit(new, sequences(45), sequences(20, 1), Checkpoint(tmp_path / str(clip_norm), "key"), seed=3, **SETTINGS)
        return save(new.best)

    unclipped = trained(None)
    assert unclipped == trained(1_000_000.0)
    assert unclipped != trained(0.01)
