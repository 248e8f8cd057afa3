"""Soft labels: mixtures by hand, and a loss that is the labels' own where all the probability is theirs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from stages.training.class_weights import class_weights
from stages.training.distillation import LOGITS, UNLABELLED, certain, soften
from stages.training.sequences import Sequences
from tests.training.test_training import sequences, trainer

LABELS = [0, 1, UNLABELLED]
GIVEN = np.log([[3, 1], [1, 1], [9, 1]]).astype(np.float32)  # probabilities 3/4, 1/2 and 9/10 of the first class


@pytest.fixture
def rows(tmp_path: Path) -> dict[str, Sequences]:
    """Three rows of each split, of which only those of train may have no label; beside them the teacher's logits."""
    np.save(tmp_path / LOGITS, GIVEN)
    labels = {"train": LABELS, "valid": [1, 0, 1], "test": [0, 0, 1]}
    return {split: replace(sequences(3), labels=np.array(numbers)) for split, numbers in labels.items()}


def test_a_row_is_the_teachers_probabilities_mixed_with_its_label_and_without_a_label_they_alone(rows, tmp_path):
    learned = soften(rows, tmp_path, teacher_weight=0.8, temperature=1.0)
    assert learned["train"].labels == pytest.approx(np.array([[0.8, 0.2], [0.4, 0.6], [0.9, 0.1]]))
    assert learned["train"].labels.dtype == np.float32


def test_a_temperature_divides_logits(rows, tmp_path):
    learned = soften(rows, tmp_path, teacher_weight=1.0, temperature=2.0)["train"].labels
    root = np.sqrt(3)
    assert learned == pytest.approx(np.array([[root / (root + 1), 1 / (root + 1)], [0.5, 0.5], [0.75, 0.25]]))


def test_without_weight_the_teacher_speaks_of_rows_without_a_label_alone(rows, tmp_path):
    learned = soften(rows, tmp_path, teacher_weight=0.0, temperature=1.0)["train"].labels
    assert learned == pytest.approx(np.array([[1, 0], [0, 1], [0.9, 0.1]]))


def test_what_the_teacher_has_not_seen_becomes_certain_and_no_row_is_changed_otherwise(rows, tmp_path):
    learned = soften(rows, tmp_path, teacher_weight=0.8, temperature=1.0)
    assert learned["valid"].labels.tolist() == [[0, 1], [1, 0], [0, 1]]
    assert learned["test"].labels.tolist() == [[1, 0], [1, 0], [0, 1]]
    for split, before in rows.items():
        assert learned[split].ids is before.ids and learned[split].tokens is before.tokens
        assert before.labels.ndim == 1


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, np.array([0.5, 2.5])])
def test_certain_probabilities_have_the_loss_of_class_numbers(weights, label_smoothing):
    new = trainer(class_weights=weights)
    new.label_smoothing = label_smoothing
    logits, numbers = torch.randn(6, 2, generator=torch.Generator().manual_seed(1)), np.array([0, 1, 1, 0, 1, 1])
    expected = new.loss(logits, torch.from_numpy(numbers))
    found = new.loss(logits, torch.from_numpy(certain(numbers, 2)))
    torch.testing.assert_close(found, expected)
    assert not torch.isclose(new.loss(logits, torch.from_numpy(certain(1 - numbers, 2))), expected)


def test_a_mixture_has_the_mean_of_its_classes_losses_and_of_their_weights():
    new = trainer(class_weights=np.array([0.5, 2.5]))
    new.label_smoothing = 0.0
    logits = torch.log(torch.tensor([[0.2, 0.8]]))
    loss = new.loss(logits, torch.tensor([[0.75, 0.25]])).item()
    assert loss == pytest.approx((0.75 * -np.log(0.2) + 0.25 * -np.log(0.8)) * (0.75 * 0.5 + 0.25 * 2.5))


def test_classes_are_balanced_by_their_share_of_all_probabilities():
    labels = np.array([0] * 9 + [1] * 3)
    assert class_weights("balanced", certain(labels, 2), ["a", "b"]) == pytest.approx([12 / 18, 12 / 6])
    mixed = np.array([[0.7, 0.3]] * 2, dtype=np.float32)
    assert class_weights("balanced", mixed, ["a", "b"]) == pytest.approx([1 / 1.4, 1 / 0.6])
