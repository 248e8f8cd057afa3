"""Weights of classes: their values by hand, what they do to the loss, and what they leave alone."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from stages.training.class_weights import class_weights
from stages.training.loop import validate
from stages.training.trainer import Trainer
from tests.training.test_training import CPU, new_lstm, sequences, trainer

LABELS = np.array([0] * 16 + [1] * 3 + [2])  # 80, 15 and 5 %
CLASSES = ["usual", "fewer", "rare"]


def test_balanced_weights_are_those_by_hand():
    """N / (C · rows of the class), so that each class has a third of all weight."""
    weights = class_weights("balanced", LABELS, CLASSES)
    assert weights == pytest.approx([20 / (3 * 16), 20 / (3 * 3), 20 / 3])
    assert weights[LABELS].mean() == pytest.approx(1)


@pytest.mark.parametrize("scale", [1, 7, 1e-300, 1e300])
def test_only_the_ratios_of_given_weights_matter(scale):
    given = {"rare": 10 * scale, "usual": 1 * scale, "fewer": 4 * scale}  # in another order than the classes
    assert class_weights(given, LABELS, CLASSES) == pytest.approx(np.array([1, 4, 10]) * 20 / (16 + 12 + 10))


def test_without_weights_there_are_none():
    assert class_weights("none", LABELS, CLASSES) is None


def weighted(weights: np.ndarray | None) -> Trainer:
    return trainer(new_lstm, class_weights=weights)


def test_a_row_of_weight_3_counts_as_three_rows_of_weight_1():
    logits, labels = torch.randn(6, 2, generator=torch.manual_seed(1)), torch.tensor([0, 0, 1, 0, 1, 0])
    times = torch.where(labels == 1, 3, 1)
    repeated = weighted(None).loss(logits.repeat_interleave(times, 0), labels.repeat_interleave(times))
    found = weighted(np.array([1.0, 3.0])).loss(logits, labels)
    torch.testing.assert_close(found * len(labels), repeated * times.sum())


def test_a_rows_loss_does_not_depend_on_what_is_beside_it():
    logits, labels = torch.randn(4, 2, generator=torch.manual_seed(1)), torch.tensor([0, 1, 1, 1])
    whole = weighted(np.array([0.4, 2.5])).loss(logits, labels)
    alone = [weighted(np.array([0.4, 2.5])).loss(logits[[row]], labels[[row]]) for row in range(4)]
    torch.testing.assert_close(whole, torch.stack(alone).mean())


def test_equal_weights_change_nothing():
    logits, labels = torch.randn(9, 2, generator=torch.manual_seed(1)), torch.arange(9) % 2
    plain = F.cross_entropy(logits, labels, label_smoothing=0.1)
    assert torch.equal(weighted(None).loss(logits, labels), plain)
    torch.testing.assert_close(weighted(np.array([1.0, 1.0])).loss(logits, labels), plain)


def test_scores_on_valid_know_no_weights():
    valid = sequences(40, 1)
    assert validate(weighted(np.array([0.1, 9.0])), valid, "loss") == validate(weighted(None), valid, "loss")
    ids, lengths, labels = valid.batch(np.arange(40), CPU)
    loss = F.cross_entropy(weighted(None).averaged.eval()(ids, lengths), labels).item()
    assert validate(weighted(np.array([0.1, 9.0])), valid, "loss")["valid_loss"] == pytest.approx(loss, rel=1e-5)
