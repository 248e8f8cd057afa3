"""Scores of a classifier, computed once over all rows from saved probabilities."""

import numpy as np
from sklearn import metrics


def scores(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Fractions between 0 and 1 (log loss in nats, MCC from -1 to 1).

    Of two classes, precision, recall and F1 are those of class 1 and the confusion's counts follow; of more,
    they are means over the classes, as is the area under the ROC curve of each class against the others.

    labels: (N,) class numbers; probabilities: (N, C).
    """
    probabilities = probabilities.astype(np.float64)
    probabilities /= probabilities.sum(axis=1, keepdims=True)  # float32 sums to 1 only nearly
    predicted = probabilities.argmax(axis=1)
    classes = np.arange(probabilities.shape[1])
    binary = len(classes) == 2
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        labels, predicted, labels=classes, average="binary" if binary else "macro", zero_division=0
    )
    confidence = {"y_score": probabilities[:, 1]} if binary else {"y_score": probabilities, "multi_class": "ovr"}
    counts = metrics.confusion_matrix(labels, predicted, labels=classes).ravel()
    names = ["true_negatives", "false_positives", "false_negatives", "true_positives"] if binary else []
    return {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "mcc": metrics.matthews_corrcoef(labels, predicted),
        "roc_auc": metrics.roc_auc_score(labels, **confidence),
        "log_loss": metrics.log_loss(labels, probabilities, labels=classes),
    } | dict(zip(names, counts, strict=False))


def over_seeds(runs: list[dict[str, float]], digits: int = 4) -> dict[str, float]:
    """Means over several runs' scores, with the accuracy's standard deviation between them."""
    means = {name: round(float(np.mean([run[name] for run in runs])), digits) for name in runs[0]}
    spread = np.std([run["accuracy"] for run in runs], ddof=1) if len(runs) > 1 else 0.0
    return means | {"accuracy_std": round(float(spread), digits)}
