"""How much the rows of each class count in the loss, so that a rare class is not learned as if it did not matter."""

import numpy as np


def class_weights(chosen: str | dict[str, float], labels: np.ndarray, classes: list[str]) -> np.ndarray | None:
    """A weight for each class, (C,), by its number; nothing where all rows count the same.

    Only the ratios between weights matter: they are scaled to a mean of 1 over the rows, so that a learning rate, a
    gradient's norm and a strength of regularization mean what they mean without weights.

    chosen: `none`, `balanced` (each class counts as much as any other, whatever its rows), or a weight by each name.
    labels: of the rows to train on, which hold every class: class numbers, (N,), or probabilities, (N, C).
    """
    if chosen == "none":
        return None
    counts = np.bincount(labels, minlength=len(classes)) if labels.ndim == 1 else labels.sum(axis=0)
    given = 1 / counts if chosen == "balanced" else np.array([chosen[name] for name in classes])
    ratios = given / given.max()  # whose sum no number is too large for
    return ratios * (counts.sum() / (ratios @ counts))
