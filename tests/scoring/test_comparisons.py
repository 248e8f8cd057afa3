"""Intervals, paired tests and calibration: against known cases, and whether they see what they are there to see."""

import json

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import accuracy_score

from stages.scoring.calibration import expected_calibration_error, reliability
from stages.scoring.comparisons import compare_pairs, holm, interval, mcnemar, resampled_accuracies


def right(rows: int, accuracy: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random(rows) < accuracy


def test_intervals_are_as_wide_as_the_binomial_says():
    of_rows = right(2000, 0.85, seed=1)
    low, high = interval(resampled_accuracies(of_rows[None].astype(float), 5000, seed=1)[0], 0.95)
    wald = stats.binomtest(int(of_rows.sum()), 2000).proportion_ci(0.95, method="wilson")
    assert (low, high) == pytest.approx((wald.low, wald.high), abs=0.002)


def test_the_same_seed_gives_the_same_interval():
    of_rows = right(300, 0.8, seed=1)[None].astype(float)
    first, again, other = (resampled_accuracies(of_rows, 500, seed) for seed in (1, 1, 2))
    assert (first == again).all() and not (first == other).all()


def test_all_models_are_resampled_on_the_same_rows():
    of_rows = right(500, 0.8, seed=1).astype(float)
    resampled = resampled_accuracies(np.stack([of_rows, of_rows]), 500, seed=1)
    assert (resampled[0] == resampled[1]).all()


def test_mcnemar_counts_only_the_rows_on_which_the_two_differ():
    first = np.array([True] * 10 + [False] * 2 + [True] * 50)
    second = np.array([False] * 10 + [True] * 2 + [True] * 50)
    assert mcnemar(first, second) == {
        "only_first_correct": 10,
        "only_second_correct": 2,
        "p_value": pytest.approx(0.03857421875),
    }
    assert mcnemar(first, first)["p_value"] == 1.0


def test_holm_is_as_in_the_textbook():
    """By hand: 0.01·4, 0.02·3, 0.03·2 (raised to the one before), 0.5."""
    assert holm([0.5, 0.01, 0.03, 0.02]) == pytest.approx([0.5, 0.04, 0.06, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]


def flipped(of_rows: np.ndarray, share: float) -> np.ndarray:
    """The same predictions but for a share of them, turned into the other class."""
    rows = np.random.default_rng(3).choice(len(of_rows), round(share * len(of_rows)), replace=False)
    changed = of_rows.copy()
    changed[rows] = ~changed[rows]
    return changed


@pytest.mark.parametrize(("rows", "accuracy"), [(25_000, 0.9), (2_000, 0.9)])
def test_one_per_cent_of_predictions_flipped_shows_in_the_interval_and_in_the_test(rows, accuracy):
    models = {"as predicted": right(rows, accuracy, seed=1)[None]}
    models["flipped"] = flipped(models["as predicted"][0], 0.01)[None]
    resampled = resampled_accuracies(np.concatenate(list(models.values())).astype(float), 2000, seed=1)
    [pair] = compare_pairs(models, resampled, 0.95)
    assert pair["difference"] < 0
    assert pair["interval"][1] < 0
    assert pair["p_value_holm"] < 0.01


def test_a_model_is_not_found_to_differ_from_itself_under_another_name():
    of_rows = right(2000, 0.85, seed=1)[None]
    resampled = resampled_accuracies(np.concatenate([of_rows, of_rows]).astype(float), 500, seed=1)
    [pair] = compare_pairs({"a": of_rows, "b": of_rows}, resampled, 0.95)
    assert (pair["difference"], pair["interval"], pair["p_value_holm"]) == (0, [0, 0], 1)


def test_a_classifier_that_is_as_often_right_as_it_says_has_no_calibration_error():
    confidence = np.repeat([0.55, 0.75, 0.95], 1000)
    probabilities = np.stack([1 - confidence, confidence], axis=1)
    labels = np.concatenate([np.arange(1000) < 550, np.arange(1000) < 750, np.arange(1000) < 950]).astype(int)
    curve = reliability(labels, probabilities)
    assert [point["accuracy"] for point in curve] == [0.55, 0.75, 0.95]
    assert expected_calibration_error(curve) == 0
    surer = reliability(labels, np.stack([np.full(3000, 0.01), np.full(3000, 0.99)], axis=1))
    assert expected_calibration_error(surer) == pytest.approx(0.99 - accuracy_score(labels, np.ones(3000)))
    assert json.dumps(curve)
