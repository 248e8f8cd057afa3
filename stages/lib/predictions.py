"""Every row's probabilities by every run of a rung, as `evaluate` keeps them."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from stages.lib.command import InputError


@dataclass(frozen=True)
class Predictions:
    """Of one rung on one split, in the order of the rows' names."""

    ids: np.ndarray  # (N,)
    labels: np.ndarray  # (N,) class numbers
    probabilities: np.ndarray  # (runs, N, C)

    @property
    def right(self) -> np.ndarray:
        """Whether a run's likeliest class is the label: (runs, N)."""
        return self.probabilities.argmax(axis=2) == self.labels


def read_predictions(folder: Path, rungs: list[str], split: str, classes: list[str]) -> dict[str, Predictions]:
    """The rungs' predictions by their names; a file has no column of the first class, whose share is what is left.

    Raises:
        InputError: a rung's file is missing or holds other classes.
    """
    found = {}
    for rung in rungs:
        path = folder / f"{rung}.parquet"
        if not path.is_file():
            raise InputError(f"{path} is missing; `dvc repro` makes it")
        table = pd.read_parquet(path)
        rows = table[table["split"] == split].sort_values("id")
        named = [re.compile(rf"probability_{re.escape(label)}(_\d+)?") for label in classes[1:]]  # behind it a seed
        of_classes = [[column for column in rows.columns if name.fullmatch(column)] for name in named]
        if not all(of_classes) or rows.empty:
            raise InputError(f"{path} has no {split} rows of {', '.join(classes)}; make it again with `dvc repro`")
        others = np.stack([rows[columns].to_numpy(np.float64).T for columns in of_classes], axis=2)  # (runs, N, C - 1)
        probabilities = np.concatenate([1 - others.sum(axis=2, keepdims=True), others], axis=2)
        found[rung] = Predictions(rows["id"].to_numpy(), rows["label"].to_numpy(), probabilities)
    return found
