"""Scores of a classifier, computed once over all rows from saved probabilities."""

import numpy as np
from sklearn import metrics


def scores(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Fractions between 0 and 1 (log loss in nats, MCC from -1 to 1).

    Balanced accuracy is the mean of all classes' recalls, macro-F1 that of their F1 scores. Of two classes, precision,
    recall and F1 are those of class 1 and the confusion's counts follow; of more, they are means over the classes, as
    is the area under the ROC curve of each class against the others.

    labels: (N,) class numbers; probabilities: (N, C).
    """
    probabilities = probabilities.astype(np.float64)
    probabilities /= probabilities.sum(axis=1, keepdims=True)  # float32 sums to 1 only nearly
    predicted = probabilities.argmax(axis=1)
    classes = np.arange(probabilities.shape[1])
    binary = len(classes) == 2
    class_scores = np.stack(
        metrics.precision_recall_fscore_support(labels, predicted, labels=classes, zero_division=0)[:3]
    )
    means = class_scores.mean(axis=1)  # (3, C) → (3,)
    precision, recall, f1 = class_scores[:, 1] if binary else means
    confidence = {"y_score": probabilities[:, 1]} if binary else {"y_score": probabilities, "multi_class": "ovr"}
    counts = metrics.confusion_matrix(labels, predicted, labels=classes).ravel()
    names = ["true_negatives", "false_positives", "false_negatives", "true_positives"] if binary else []
    return {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "balanced_accuracy": means[1],
        "macro_f1": means[2],
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "mcc": metrics.matthews_corrcoef(labels, predicted),
        "roc_auc": metrics.roc_auc_score(labels, **confidence),
        "log_loss": metrics.log_loss(labels, probabilities, labels=classes),
    } | dict(zip(names, counts, strict=False))


def scores_by_class(
    labels: np.ndarray, predicted: np.ndarray, classes: list[str], digits: int = 4
) -> dict[str, dict[str, float]]:
    """Each class's precision, recall and F1, means over the trainings, and its support, the rows that are of it.

    labels: (N,) class numbers; predicted: (trainings, N) likewise. Without a prediction of a class its precision is 0.
    """
    training_scores = [
        metrics.precision_recall_fscore_support(labels, run, labels=range(len(classes)), zero_division=0)
        for run in predicted
    ]  # (4, C) a training
    means = np.mean(training_scores, axis=0).round(digits).tolist()  # (4, C)
    return {
        name: {"precision": precision, "recall": recall, "f1": f1, "support": int(support)}
        for name, precision, recall, f1, support in zip(classes, *means, strict=True)
    }


def over_seeds(runs: list[dict[str, float]], digits: int = 4) -> dict[str, float]:
    """Means over several trainings' scores, with the accuracy's standard deviation between them."""
    means = {name: round(float(np.mean([run[name] for run in runs])), digits) for name in runs[0]}
    spread = np.std([run["accuracy"] for run in runs], ddof=1) if len(runs) > 1 else 0.0
    return means | {"accuracy_std": round(float(spread), digits)}
