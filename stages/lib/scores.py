"""Scores of a binary classifier, computed once over all rows from saved probabilities."""

import numpy as np
from sklearn import metrics

THRESHOLD = 0.5


def scores(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Fractions between 0 and 1 (log loss in nats, MCC from -1 to 1), with the confusion's counts.

    labels: (N,) of 0 and 1; probabilities: (N,) of label 1.
    """
    predicted = probabilities > THRESHOLD
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        labels, predicted, average="binary", zero_division=0
    )
    (true_negatives, false_positives), (false_negatives, true_positives) = metrics.confusion_matrix(
        labels, predicted, labels=[0, 1]
    )
    return {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "mcc": metrics.matthews_corrcoef(labels, predicted),
        "roc_auc": metrics.roc_auc_score(labels, probabilities),
        "log_loss": metrics.log_loss(labels, probabilities),
        "true_negatives": true_negatives,
        "false_positives": false_positives,
        "false_negatives": false_negatives,
        "true_positives": true_positives,
    }


def over_seeds(runs: list[dict[str, float]]) -> dict[str, float]:
    """Means over several runs' scores, with the accuracy's standard deviation between them."""
    means = {name: round(float(np.mean([run[name] for run in runs])), 4) for name in runs[0]}
    spread = np.std([run["accuracy"] for run in runs], ddof=1) if len(runs) > 1 else 0.0
    return means | {"accuracy_std": round(float(spread), 4)}
