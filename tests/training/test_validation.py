"""What chooses the epoch and ends a training: the loss, the accuracy or macro-F1 on valid."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score

from stages.training import loop
from stages.training.checkpoints import Checkpoint
from stages.training.loop import fit
from stages.training.validation import quality, scores_on_valid
from tests.training.test_training import SETTINGS, sequences, trainer

# The loss is lowest in epoch 2, the accuracy highest in 3 and, with a higher loss, in 4, macro-F1 in 5.
HISTORY = [
    {"valid_loss": loss, "valid_accuracy": accuracy, "valid_macro_f1": macro_f1}
    for loss, accuracy, macro_f1 in (
        (0.9, 0.80, 0.30),
        (0.4, 0.81, 0.35),
        (0.5, 0.90, 0.34),
        (0.6, 0.90, 0.50),
        (0.7, 0.85, 0.60),
        (0.8, 0.84, 0.55),
    )
]
BEST = {"loss": 2, "accuracy": 3, "macro_f1": 5}


def fitted(folder: Path, monkeypatch: pytest.MonkeyPatch, history: Iterable[dict], **settings: object) -> loop.Progress:
    """A training that finds these scores on valid, epoch after epoch."""
    scores = iter(history)
    monkeypatch.setattr(loop, "validate", lambda *_: dict(next(scores)))
    checkpoint = Checkpoint(folder, "key")
    return fit(trainer(), sequences(20), sequences(9, 1), checkpoint, seed=3, **SETTINGS | {"epochs": 6} | settings)


@pytest.mark.parametrize("choose_by", BEST)
def test_the_epoch_that_is_best_by_the_chosen_score_is_kept(tmp_path, monkeypatch, choose_by):
    progress = fitted(tmp_path, monkeypatch, HISTORY, choose_by=choose_by, patience=6)
    assert (progress.epoch, progress.best_epoch) == (6, BEST[choose_by])


def test_without_a_word_it_is_the_loss(tmp_path, monkeypatch):
    assert fitted(tmp_path, monkeypatch, HISTORY, patience=6).best_epoch == BEST["loss"]


@pytest.mark.parametrize(("choose_by", "last"), [("loss", 4), ("accuracy", 5), ("macro_f1", 6)])
def test_patience_counts_epochs_without_a_better_chosen_score(tmp_path, monkeypatch, choose_by, last):
    assert fitted(tmp_path, monkeypatch, HISTORY, choose_by=choose_by, patience=2).epoch == last


def test_a_killed_training_goes_on_with_the_same_choice(tmp_path, monkeypatch):
    with pytest.raises(RuntimeError, match="killed"):
        fitted(tmp_path, monkeypatch, killed_after(HISTORY[:4]), choose_by="accuracy", patience=6)
    progress = fitted(tmp_path, monkeypatch, HISTORY[4:], choose_by="accuracy", patience=6)
    assert (progress.epoch, progress.best_epoch) == (6, 3)


def killed_after(history: list[dict]) -> Iterable[dict]:
    yield from history
    raise RuntimeError("killed")


def test_of_equal_scores_the_lower_loss_is_better():
    one, other = {"valid_loss": 0.5, "valid_accuracy": 0.9}, {"valid_loss": 0.4, "valid_accuracy": 0.9}
    assert quality(other, "accuracy") > quality(one, "accuracy")
    assert quality({**one, "valid_accuracy": 0.91}, "accuracy") > quality(other, "accuracy")


@pytest.mark.parametrize("choose_by", BEST)
def test_macro_f1_is_in_the_history_where_it_chooses(tmp_path, choose_by):
    valid, new = sequences(40, 1), trainer()
    found = loop.validate(new, valid, choose_by)
    assert ("valid_macro_f1" in found) == (choose_by == "macro_f1")
    if choose_by == "macro_f1":
        predicted = loop.predict(new.averaged, valid, new.device).argmax(dim=1).numpy()
        assert found["valid_macro_f1"] == f1_score(valid.labels, predicted, average="macro", zero_division=0)


def test_scores_of_probabilities_are_those_by_hand():
    labels, probabilities = np.array([0, 0, 0, 1]), np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.3, 0.7]])
    found = scores_on_valid(labels, probabilities, "macro_f1")
    assert found["valid_loss"] == pytest.approx(-np.log([0.9, 0.8, 0.4, 0.7]).mean())
    assert found["valid_accuracy"] == 0.75
    assert found["valid_macro_f1"] == pytest.approx((4 / 5 + 2 / 3) / 2)  # precision 1 and 1/2, recall 2/3 and 1
