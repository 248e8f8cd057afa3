"""Which of a corpus's trained models scores texts when a person names none."""

import json
from pathlib import Path

from stages.common.command import InputError


def seeds(model: Path) -> list[int]:
    """The seeds of a model's trainings, in order; 1 where there are none, so that loading says what is missing."""
    return sorted(int(folder.name) for folder in model.glob("[0-9]*")) or [1]


def most_accurate(trained: Path, metrics: Path) -> str:
    """The corpus's trained model with the highest accuracy on valid in its metrics.

    Raises:
        InputError: no model is trained.
    """
    models = [path.stem for path in metrics.glob("*.json") if any((trained / path.stem).rglob("run.json"))]
    if not models:
        raise InputError(f"{trained} holds no trained model; run `make repro RUN={trained.name}` first")
    metrics_of = {model: json.loads((metrics / f"{model}.json").read_text(encoding="utf-8")) for model in models}
    return max(sorted(models), key=lambda model: metrics_of[model]["valid"]["accuracy"])
