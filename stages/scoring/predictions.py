"""Every row's probabilities by every training of a model, as `evaluate` keeps them."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from stages.common.command import InputError


@dataclass(frozen=True)
class Predictions:
    """Of one model on one split, in the order of the rows' names."""

    ids: np.ndarray  # (N,)
    labels: np.ndarray  # (N,) class numbers
    probabilities: np.ndarray  # (trainings, N, C)

    @property
    def predicted(self) -> np.ndarray:
        """Every training's likeliest class of every row: (trainings, N)."""
        return self.probabilities.argmax(axis=2)

    @property
    def correct(self) -> np.ndarray:
        """Whether that is the label: (trainings, N)."""
        return self.predicted == self.labels


def read_predictions(folder: Path, models: list[str], split: str, classes: list[str]) -> dict[str, Predictions]:
    """The models' predictions by their names, all of the same rows.

    Raises:
        InputError: no model is named, or a file is missing, or holds other classes or other rows than the first.
    """
    if not models:
        raise InputError("run.yaml: run.models names no model; name one")
    found = {}
    for model in models:
        path = folder / f"{model}.parquet"
        if not path.is_file():
            raise InputError(f"{path} is missing; `dvc repro` makes it")
        found[model] = from_table(pd.read_parquet(path), split, classes, path)
        first = found[models[0]]
        if not (np.array_equal(found[model].ids, first.ids) and np.array_equal(found[model].labels, first.labels)):
            raise InputError(f"{path} is of other rows than {models[0]}.parquet; make both again with `dvc repro`")
    return found


def from_table(table: pd.DataFrame, split: str, classes: list[str], path: Path) -> Predictions:
    """A table has a column for each training and class but the first class, whose probability is what is left."""
    rows = table[table["split"] == split].sort_values("id")
    runs = re.compile(rf"probability_{re.escape(classes[1])}(_\d+|)")  # behind the class its seed, if there are any
    ends = [match[1] for match in map(runs.fullmatch, rows.columns) if match]
    columns = [[f"probability_{label}{end}" for label in classes[1:]] for end in ends]
    if rows.empty or not columns or {name for names in columns for name in names} != set(rows.columns[3:]):
        raise InputError(f"{path} has no {split} rows of {', '.join(classes)}; make it again with `dvc repro`")
    others = np.stack([rows[names].to_numpy(np.float64) for names in columns])  # (trainings, N, C - 1)
    left = np.maximum(1 - others.sum(axis=2, keepdims=True), 0)  # float32's rounding may have it below 0
    return Predictions(rows["id"].to_numpy(), rows["label"].to_numpy(), np.concatenate([left, others], axis=2))
