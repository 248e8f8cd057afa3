"""What a training leaves behind: a folder that holds all that later stages and a person need of it."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stages.common.command import InputError

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 4
MODELS = Path(__file__).parent.parent / "models"
KEYS = ("model", "arguments", "input", "corpus", "labels", "class_weights", "seed", "best_epoch", "parameters")


def write_trained(
    folder: Path, trained: dict, history: "pd.DataFrame", predictions: "pd.DataFrame", kept: list[Path]
) -> None:
    """Write `run.json`, `history.csv` and `predictions.parquet`, and copy what reading a text needs.

    predictions: of all splits, as the function of that name makes them.
    """
    if set(trained) != set(KEYS):
        raise ValueError(f"a trained model has {KEYS}, not {tuple(trained)}")
    (folder / "run.json").write_text(json.dumps({"format": FORMAT, **trained}, indent=2) + "\n", encoding="utf-8")
    history.to_csv(folder / "history.csv", index=False)
    predictions.to_parquet(folder / "predictions.parquet", index=False)
    for path in kept:
        (folder / path.name).write_bytes(path.read_bytes())


def predictions(split: str, rows: Mapping, probabilities: np.ndarray, labels: list[str]) -> "pd.DataFrame":
    """Split, id, label and the probability of each class, from (N, C), a row an example."""
    import pandas as pd  # which reading a trained model does without

    columns = dict(zip(probability_columns(labels), probabilities.T, strict=True))
    return pd.DataFrame({"split": split, "id": rows["id"], "label": rows["label"], **columns})


def probability_columns(labels: list[str]) -> list[str]:
    return [f"probability_{label}" for label in labels]


def read_trained(folder: Path) -> dict:
    """What `run.json` says.

    Raises:
        InputError: there is none, it is of another version, or it names no model of `stages/models`.
    """
    path = folder / "run.json"
    again = "train it again with `dvc repro`"
    if not path.is_file():
        raise InputError(f"{folder} holds no trained model; {again}")
    try:
        trained = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):  # nested deeper than Python reads
        raise InputError(f"{path} is not JSON; {again}") from None
    if not isinstance(trained, dict) or trained.get("format") != FORMAT or not set(KEYS) <= set(trained):
        found = trained.get("format") if isinstance(trained, dict) else None
        raise InputError(f"{path} has format {found!r}, expected {FORMAT}; {again}")
    name = str(trained["model"])
    if not re.fullmatch("[a-z][a-z0-9_]*", name) or not (MODELS / f"{name}.py").is_file():
        raise InputError(f"{path} names {name!r}, which is not a module of stages/models; {again}")
    return trained


def trained_folders(model: Path, seeds: list[int]) -> dict[str, Path]:
    """A model's folders by their seed; one that draws nothing at random has one folder and no seed, `""`."""
    return {"": model} if (model / "run.json").is_file() else {str(seed): model / str(seed) for seed in seeds}
