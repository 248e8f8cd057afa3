"""What the report shows of one corpus, from its committed results."""

import ast
from itertools import pairwise
from pathlib import Path

import pandas as pd

from stages.common.files import read_json
from stages.reporting import charts

MODELS = Path(__file__).parent.parent / "models"


def evaluated(results: Path, selected: list[str]) -> list[Path]:
    """Folders of corpora that were compared and analyzed: those selected now first, then those with the most rows."""
    folders = [
        path.parent for path in sorted(results.glob("*/comparison.json")) if (path.parent / "errors.json").is_file()
    ]
    rows = {folder: read_json(folder / "comparison.json")["rows"] for folder in folders}
    return sorted(folders, key=lambda folder: (folder.name not in selected, -rows[folder]))


def describe(folder: Path, texts: Path, selected: bool, claims: list[dict]) -> dict:
    """All that the page says of one corpus.

    folder: its results.
    texts: a file with the texts of its mistakes, if it was built here.
    claims: what the stage `claims` wrote.
    """
    comparison, errors = read_json(folder / "comparison.json"), read_json(folder / "errors.json")
    names = [name for name in comparison["order"] if name in errors["models"]]
    models, analyzed = ({name: found["models"][name] for name in names} for found in (comparison, errors))
    for name, model in models.items():
        model |= {"step": None, "calibration": analyzed[name]["expected_calibration_error"], "what": purpose(name)}
    for below, name in pairwise(models):
        models[name]["step"] = models[name]["accuracy"] - models[below]["accuracy"]
    found = {key: comparison[key] for key in ("rows", "split", "classes", "confidence")}
    known = read_json(texts) if selected else {}
    found |= {"name": folder.name, "selected": selected, "models": models, "has_texts": bool(known)}
    found |= {"matrix": matrix(names, comparison["pairs"]), "agreement": errors["agreement"]}
    found["confusions"] = {
        name: dict(zip(found["classes"], model["confusion"], strict=True)) for name, model in models.items()
    }
    found["by_class"] = {name: model["by_class"] for name, model in models.items() if "by_class" in model}
    found["has_class_means"] = all("macro_f1" in model for model in models.values())  # not in results of older code
    found["kinds"] = kinds(analyzed)
    found["mistakes"] = {
        name: [
            {
                "id": mistake["id"],
                "label": found["classes"][mistake["label"]],
                "probability": mistake["probability_of_label"],
                "text": known.get(mistake["id"]),
            }
            for mistake in model["mistakes"]
        ]
        for name, model in analyzed.items()
    }
    said = next((claim for claim in claims if folder.name in claim["accuracy_on"]), None)
    shown = said and found["split"] == "test"
    reference = (f"notebook {said['id'][0]}: {100 * said['says'][0]:.1f}", said["says"][0]) if shown else None
    reliabilities = {name: model["reliability"] for name, model in analyzed.items()}
    found["charts"] = {"ladder": charts.ladder(models, reference), "reliability": charts.reliability(reliabilities)}
    found["charts"] |= learning_curves(folder / "learning_curves", names)
    return found


def purpose(model: str) -> str:
    """The first line of the model's docstring, empty if its module is gone; its name may follow an encoder's name."""
    parts = model.split("_")
    paths = [MODELS / f"{'_'.join(parts[start:])}.py" for start in range(len(parts))]
    path = next((path for path in paths if path.is_file()), None)
    described = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) if path else None
    return (described or "").partition("\n")[0].partition(" (http")[0]


def matrix(names: list[str], pairs: list[dict]) -> list[dict]:
    """A row for each model: its lead over every other model, and whether the test finds the two different."""
    cells = {}
    for pair in pairs:
        tested = {"differs": pair["differs"], "p": pair["p_value_holm"]}
        cells[pair["second"], pair["first"]] = tested | {"difference": pair["difference"]}
        cells[pair["first"], pair["second"]] = tested | {"difference": -pair["difference"]}
    return [{"name": row, "cells": [cells.get((row, column)) for column in names]} for row in names]


def kinds(models: dict[str, dict]) -> dict[str, list[dict]]:
    """For every kind of grouping, a row for each group of texts with all models' accuracies."""
    first = next(iter(models.values()))["accuracy_by"]
    return {
        kind: [
            {
                "name": group["group"],
                "rows": group["rows"],
                "accuracies": [model["accuracy_by"][kind][number]["accuracy"] for model in models.values()],
            }
            for number, group in enumerate(groups)
        ]
        for kind, groups in first.items()
    }


def learning_curves(folder: Path, models: list[str]) -> dict[str, str]:
    """Charts for the models that are trained in epochs, if there are any."""
    curves = {model: pd.read_csv(path) for model in models if (path := folder / f"{model}.csv").is_file()}
    return curves and {
        name: charts.curves({model: (rows["epoch"], rows[column]) for model, rows in curves.items()}, "epoch", label)
        for name, column, label in (
            ("curves", "valid_accuracy", "accuracy on valid"),
            ("losses", "valid_loss", "loss on valid"),
        )
    }
