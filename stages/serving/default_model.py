"""Which of a corpus's trained models scores texts when a person names none."""

import json
from pathlib import Path

from stages.common.command import InputError


def seeds(model: Path) -> list[int]:
    """The seeds of a model's trainings, in order; 1 where there are none, so that loading says what is missing."""
    return sorted(int(folder.name) for folder in model.glob("[0-9]*")) or [1]


def best_on_valid(trained: Path, metrics: Path, choose_by: str = "accuracy") -> str:
    """The trained model of a corpus with the highest accuracy or macro-F1, or the lowest loss, on valid.

    Raises:
        InputError: none is trained, or the metrics of one lack what to choose by.
    """
    models = [path.stem for path in metrics.glob("*.json") if any((trained / path.stem).rglob("run.json"))]
    if not models:
        raise InputError(f"{trained} holds no trained model; run `make repro RUN={trained.name}` first")
    name, sign = ("log_loss", -1) if choose_by == "loss" else (choose_by, 1)
    scored = {}
    for model in sorted(models):
        path = metrics / f"{model}.json"
        found = json.loads(path.read_text(encoding="utf-8"))["valid"]
        if name not in found:
            named = f"{name}, which training.choose_by in corpora/{trained.name}.yaml names"
            raise InputError(f"{path} has no {named}; `make repro RUN={trained.name}` adds it")
        scored[model] = sign * found[name]
    return max(scored, key=scored.get)
