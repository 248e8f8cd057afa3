"""How sure accuracies are, and whether one model's differs from another's on the same rows."""

from itertools import combinations

import numpy as np
from scipy import stats

DRAWN_AT_ONCE = 5_000_000  # resampled rows in memory at a time


def resampled_accuracies(correct: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Every model's accuracy on bootstrap samples of the rows, the same rows for all: (M, resamples).

    https://doi.org/10.1201/9780429246593

    correct: (M, N), the share of a model's trainings that are correct on a row; trainings are not drawn again.
    """
    found = stats.bootstrap(
        (correct,),
        np.mean,
        n_resamples=resamples,
        batch=max(1, DRAWN_AT_ONCE // correct.size),
        axis=1,
        vectorized=True,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return found.bootstrap_distribution


def interval(resampled: np.ndarray, confidence: float) -> list[float]:
    """Between which two values the middle `confidence` of the resampled ones lies."""
    outside = (1 - confidence) / 2
    return [rounded(value) for value in np.quantile(resampled, [outside, 1 - outside])]


def rounded(value: float) -> float:
    return round(float(value), 4)


def mcnemar(first_correct: np.ndarray, second_correct: np.ndarray) -> dict[str, float]:
    """McNemar's exact test of two classifiers on the same rows (https://doi.org/10.1007/BF02295996).

    Only the rows count on which one is correct and the other is not; were both as good, either would be as often.
    """
    first, second = int((first_correct & ~second_correct).sum()), int((second_correct & ~first_correct).sum())
    p_value = stats.binomtest(first, first + second).pvalue if first + second else 1.0
    return {"only_first_correct": first, "only_second_correct": second, "p_value": float(p_value)}


def holm(p_values: list[float]) -> list[float]:
    """Holm's correction of several tests' p-values, for the family-wise error rate.

    https://www.jstor.org/stable/4615733
    """
    order = np.argsort(p_values)
    factors = np.arange(len(p_values), 0, -1)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(np.maximum.accumulate(np.asarray(p_values)[order] * factors), 1)
    return corrected.tolist()


def compare_pairs(models: dict[str, np.ndarray], resampled: np.ndarray, confidence: float) -> list[dict]:
    """Every pair of models: the second's accuracy less the first's with its interval, and McNemar's test of the two.

    The difference is of the means of all trainings; a test on rows needs one prediction a row, so it is of the first
    trainings, whose own difference is given too.

    models: whether each of a model's trainings is correct on each row, (trainings, N).
    resampled: as `resampled_accuracies`, in the same order.
    """
    pairs = []
    for (first, a), (second, b) in combinations(enumerate(models), 2):
        difference = models[b].mean() - models[a].mean()
        between = interval(resampled[second] - resampled[first], confidence)
        found = {"first": a, "second": b, "difference": rounded(difference), "interval": between}
        found["difference_of_first_runs"] = rounded(models[b][0].mean() - models[a][0].mean())
        pairs.append(found | mcnemar(models[a][0], models[b][0]))
    for pair, corrected in zip(pairs, holm([pair["p_value"] for pair in pairs]), strict=True):
        pair |= {"differs": corrected <= 1 - confidence, "p_value_holm": two_digits(corrected)}
        pair["p_value"] = two_digits(pair["p_value"])
    return pairs


def two_digits(value: float) -> float:
    return float(f"{value:.2g}")
