"""How much an n-gram counts, from the training texts that hold it: the weights of the linear model."""

import numpy as np
from scipy.sparse import csr_matrix


def idf(occurrences: csr_matrix, labels: np.ndarray) -> np.ndarray:
    """Inverse document frequency, smoothed: (F,) (https://doi.org/10.1108/eb026526)."""
    return np.log((1 + occurrences.shape[0]) / (1 + occurrences.sum(axis=0).A1)) + 1


def log_count_ratio(occurrences: csr_matrix, labels: np.ndarray) -> np.ndarray:
    """How much an n-gram's frequency in the class it tells most about differs from elsewhere, as a logarithm: (F,).

    https://aclanthology.org/P12-2018, whose sign for two classes makes no difference to a linear model.
    """
    ratios = []
    for label in np.unique(labels):
        inside, outside = (1 + occurrences[members].sum(axis=0).A1 for members in (labels == label, labels != label))
        ratios.append(np.log(inside / inside.sum()) - np.log(outside / outside.sum()))
    return np.abs(ratios).max(axis=0)


WEIGHTINGS = {"idf": idf, "log_count_ratio": log_count_ratio}
