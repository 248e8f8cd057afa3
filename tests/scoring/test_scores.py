"""Scores, against values worked out by hand."""

import numpy as np
import pytest

from stages.scoring.scores import over_seeds, scores, scores_by_class

LABELS = np.array([1, 1, 1, 0, 0, 0, 0, 1])
PROBABILITIES = np.array([0.9, 0.8, 0.4, 0.2, 0.6, 0.1, 0.5, 0.7])  # of class 1
OF_BOTH = np.stack([1 - PROBABILITIES, PROBABILITIES], axis=1)


def test_scores_are_those_worked_out_by_hand():
    found = scores(LABELS, OF_BOTH)
    assert {key: found[key] for key in ("true_positives", "false_negatives", "false_positives", "true_negatives")} == {
        "true_positives": 3,
        "false_negatives": 1,
        "false_positives": 1,
        "true_negatives": 3,
    }
    assert found["accuracy"] == found["precision"] == found["recall"] == found["f1"] == 0.75
    assert found["mcc"] == pytest.approx((3 * 3 - 1 * 1) / 16)
    pairs = [(p, n) for p in PROBABILITIES[LABELS == 1] for n in PROBABILITIES[LABELS == 0]]
    assert found["roc_auc"] == pytest.approx(np.mean([p > n for p, n in pairs]))
    likelihood = np.where(LABELS == 1, PROBABILITIES, 1 - PROBABILITIES)
    assert found["log_loss"] == pytest.approx(-np.log(likelihood).mean())


def test_scores_do_not_depend_on_the_order_of_rows():
    order = np.random.default_rng(0).permutation(len(LABELS))
    assert scores(LABELS, OF_BOTH) == pytest.approx(scores(LABELS[order], OF_BOTH[order]))


def test_scores_of_three_classes_are_means_over_the_classes():
    labels = np.array([0, 0, 1, 1, 2, 2])
    certain = np.eye(3)[[0, 1, 1, 1, 2, 2]] * 0.8 + 0.2 / 3
    found = scores(labels, certain)
    assert found["accuracy"] == pytest.approx(5 / 6)
    assert found["precision"] == pytest.approx(np.mean([1, 2 / 3, 1]))
    assert found["recall"] == pytest.approx(np.mean([1 / 2, 1, 1]))
    assert "true_positives" not in found


def test_balanced_accuracy_and_macro_f1_are_means_over_the_classes():
    """Of 8 rows of class 0, 7 are found, of 2 of class 1, 1: F1 is 2·7/(8+8) and 2·1/(2+2)."""
    labels = np.array([0] * 8 + [1] * 2)
    found = scores(labels, np.eye(2)[[0] * 7 + [1, 1, 0]] * 0.8 + 0.1)
    assert found["accuracy"] == 0.8
    assert found["balanced_accuracy"] == pytest.approx((7 / 8 + 1 / 2) / 2)
    assert found["macro_f1"] == pytest.approx((14 / 16 + 1 / 2) / 2)
    assert found["f1"] == 0.5  # of class 1 alone


def test_the_scores_of_each_class_are_those_by_hand():
    """Three rows of a, two of b, one of c, which the first run never says and the second finds, with one of a."""
    labels = np.array([0, 0, 0, 1, 1, 2])
    runs = np.array([[0, 0, 1, 1, 1, 0], [0, 0, 2, 1, 0, 2]])
    assert scores_by_class(labels, runs, ["a", "b", "c"]) == {
        "a": {"precision": 0.6667, "recall": 0.6667, "f1": 0.6667, "support": 3},  # 2 of 3 said, 2 of 3 found, twice
        "b": {"precision": 0.8333, "recall": 0.75, "f1": 0.7333, "support": 2},  # (2/3 + 1) / 2, (1 + 1/2) / 2
        "c": {"precision": 0.25, "recall": 0.5, "f1": 0.3333, "support": 1},  # (0 + 1/2) / 2, (0 + 1) / 2
    }


def test_a_certain_mistake_has_a_finite_log_loss():
    assert np.isfinite(scores(np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]]))["log_loss"])


def test_means_and_spread_are_over_the_seeds():
    runs = [{"accuracy": 0.8, "f1": 0.5}, {"accuracy": 0.9, "f1": 0.7}, {"accuracy": 0.7, "f1": 0.6}]
    assert over_seeds(runs) == {"accuracy": 0.8, "f1": 0.6, "accuracy_std": 0.1}
    assert over_seeds(runs[:1])["accuracy_std"] == 0.0
