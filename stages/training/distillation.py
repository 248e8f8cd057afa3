"""Soft labels: classes by their probabilities, as a teacher sees them, for a model that learns from it.

Hinton et al. 2015, https://arxiv.org/abs/1503.02531
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from stages.training.sequences import Sequences

LOGITS = "teacher_logits.npy"  # of the rows of `train`, in their order: (N, C)
UNLABELLED = -1  # the class of a row that nobody but the teacher has labelled


def soften(
    rows: dict[str, Sequences], folder: Path, *, teacher_weight: float, temperature: float
) -> dict[str, Sequences]:
    """The same splits with probabilities, (N, C), for class numbers.

    Those of `train` are the teacher's at a temperature, mixed with the row's label if it has one; of other splits the
    teacher has seen nothing, and all the probability is the label's.

    folder: where the teacher's logits are.
    teacher_weight: the teacher's share of a mixture, from 0 to 1.
    temperature: what logits are divided by; from 1 up it makes the probabilities more even.
    """
    logits = np.load(folder / LOGITS)
    classes = logits.shape[1]
    softened = {split: replace(rows[split], labels=certain(rows[split].labels, classes)) for split in rows}
    labels = rows["train"].labels
    own_share = np.where(labels == UNLABELLED, 0.0, 1 - teacher_weight)[:, None]  # (N, 1)
    taught = torch.from_numpy(logits / temperature).softmax(dim=1).numpy()
    mixed = own_share * certain(labels, classes) + (1 - own_share) * taught
    return softened | {"train": replace(rows["train"], labels=mixed.astype(np.float32))}


def certain(labels: np.ndarray, classes: int) -> np.ndarray:
    """Class numbers, (N,), as probabilities of 0 and 1, (N, C); a row without a label has zeros."""
    return (labels[:, None] == np.arange(classes)).astype(np.float32)
