"""Scores on the validation rows, and what the best epoch of a network or the best setting of a model is chosen by."""

import numpy as np


def scores_on_valid(labels: np.ndarray, probabilities: np.ndarray, choose_by: str) -> dict[str, float]:
    """Log loss, accuracy and what else `choose_by` looks at; labels: (N,) class numbers, probabilities: (N, C)."""
    from sklearn.metrics import accuracy_score, log_loss  # which networks do without

    predicted = probabilities.argmax(axis=1)
    loss = log_loss(labels, probabilities, labels=range(probabilities.shape[1]))
    found = {"valid_loss": loss, "valid_accuracy": accuracy_score(labels, predicted)}
    return found | scores_for_choice(labels, predicted, choose_by)


def scores_for_choice(labels: np.ndarray, predicted: np.ndarray, choose_by: str) -> dict[str, float]:
    """What `choose_by` looks at beside loss and accuracy, if anything; both arrays: (N,) class numbers."""
    if choose_by != "macro_f1":
        return {}
    from sklearn.metrics import f1_score

    return {"valid_macro_f1": float(f1_score(labels, predicted, average="macro", zero_division=0))}


def quality(scores: dict[str, float], choose_by: str) -> tuple[float, ...]:
    """The larger, the better: a lower loss, or a higher accuracy or macro-F1 and, where that is equal, a lower loss."""
    loss = -scores["valid_loss"]
    return (loss,) if choose_by == "loss" else (scores[f"valid_{choose_by}"], loss)
