"""Whether a classifier is as often right as it says it will be."""

import numpy as np

BINS = 10  # between the least confidence that can win and certainty


def reliability(labels: np.ndarray, probabilities: np.ndarray) -> list[dict[str, float]]:
    """How confident and how accurate the predictions of every range of confidence are; empty ranges are left out.

    labels: (N,); probabilities: (N, C), whose largest is the confidence.
    """
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    edges = np.linspace(1 / probabilities.shape[1], 1, BINS + 1)
    bins = np.searchsorted(edges[1:-1], confidence, side="right")
    found = []
    for number in np.unique(bins):
        inside = bins == number
        means = {"confidence": confidence[inside].mean(), "accuracy": right[inside].mean()}
        found.append({name: round(float(mean), 4) for name, mean in means.items()} | {"rows": int(inside.sum())})
    return found


def expected_calibration_error(curve: list[dict[str, float]]) -> float:
    """Between confidence and accuracy, a mean over all predictions (https://arxiv.org/abs/1706.04599)."""
    distances = [abs(point["confidence"] - point["accuracy"]) * point["rows"] for point in curve]
    return round(sum(distances) / sum(point["rows"] for point in curve), 4)
