"""Which of a corpus's trained models answers where a person names none."""

import json
from pathlib import Path

from stages.common.command import InputError


def seeds(model: Path) -> list[int]:
    """With which a model was trained, in order; the first one's name where it was not trained at all."""
    return sorted(int(folder.name) for folder in model.glob("[0-9]*")) or [1]


def most_accurate(trained: Path, metrics: Path) -> str:
    """The trained model of a corpus that is most accurate on valid, by its metrics.

    Raises:
        InputError: none is trained.
    """
    models = [path.stem for path in metrics.glob("*.json") if any((trained / path.stem).rglob("run.json"))]
    if not models:
        raise InputError(f"{trained} holds no trained model; run `make repro RUN={trained.name}` first")
    metrics_of = {model: json.loads((metrics / f"{model}.json").read_text(encoding="utf-8")) for model in models}
    return max(sorted(models), key=lambda model: metrics_of[model]["valid"]["accuracy"])
