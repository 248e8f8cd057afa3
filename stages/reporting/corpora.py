"""What the report shows of one corpus, from its committed results."""

import ast
from itertools import pairwise
from pathlib import Path

import pandas as pd

from stages.common.files import read_json
from stages.reporting import accuracy_charts, charts
from stages.reporting.mistakes import by_text
from stages.reporting.taught import taught
from stages.reporting.winner import mark_frontier, winner

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
    mark_frontier(models)
    found = {key: comparison[key] for key in ("rows", "split", "classes", "confidence")}
    found |= {"name": folder.name, "selected": selected, "models": models}
    found |= {"matrix": matrix(names, comparison["pairs"]), "agreement": errors["agreement"]}
    found["winner"] = winner(models, found["matrix"])
    found["teacher"] = comparison.get("teacher")  # not in results of older code
    found["taught"] = taught(models, found["matrix"], found["teacher"])
    found["confusions"] = {
        name: dict(zip(found["classes"], model["confusion"], strict=True)) for name, model in models.items()
    }
    found["by_class"] = {name: model["by_class"] for name, model in models.items() if "by_class" in model}
    found["has_class_means"] = all("macro_f1" in model for model in models.values())  # not in results of older code
    found["kinds"] = kinds(analyzed)
    known = read_json(texts) if selected else {}
    mistakes = {name: model["mistakes"] for name, model in analyzed.items()}
    found |= {"has_texts": bool(known), "mistakes": by_text(mistakes, found["classes"], known)}
    said = next((claim for claim in claims if folder.name in claim["accuracy_on"]), None)
    shown = said and found["split"] == "test"
    reference = (f"notebook {said['id'][0]}: {100 * said['says'][0]:.1f}", said["says"][0]) if shown else None
    found["charts"] = {
        "frontier": accuracy_charts.frontier(models, folder.name),
        "ladder": accuracy_charts.ladder(models, reference, folder.name),
        "reliability": charts.reliability({name: model["reliability"] for name, model in analyzed.items()}),
    }
    curves = learning_curves(folder / "learning_curves", names)
    found["charts"] |= curve_charts(curves)
    found["looks"] = charts.looks(curves)
    return found


def purpose(model: str) -> str:
    """The first line of the model's docstring, empty if its module is gone; its name may follow an encoder's name."""
    parts = model.split("_")
    paths = [MODELS / f"{'_'.join(parts[start:])}.py" for start in range(len(parts))]
    path = next((path for path in paths if path.is_file()), None)
    described = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) if path else None
    return (described or "").partition("\n")[0].partition(" (http")[0]


def matrix(names: list[str], pairs: list[dict]) -> dict[str, dict[str, dict]]:
    """Each model's lead over every other model, and whether the test finds the two different."""
    cells = {name: {} for name in names}
    for pair in pairs:
        first, second = pair["first"], pair["second"]
        if first in cells and second in cells:
            tested = {"differs": pair["differs"], "p": pair["p_value_holm"]}
            cells[second][first] = tested | {"difference": pair["difference"]}
            cells[first][second] = tested | {"difference": -pair["difference"]}
    return cells


def kinds(models: dict[str, dict]) -> dict[str, dict]:
    """For every kind of grouping, its groups with their rows, and all models' accuracies on them."""
    first = next(iter(models.values()))["accuracy_by"]
    return {
        kind: {
            "groups": {group["group"]: group["rows"] for group in groups},
            "accuracies": {
                name: [group["accuracy"] for group in model["accuracy_by"][kind]] for name, model in models.items()
            },
        }
        for kind, groups in first.items()
    }


def learning_curves(folder: Path, models: list[str]) -> dict[str, pd.DataFrame]:
    """Of the models that are trained in epochs."""
    return {model: pd.read_csv(path) for model in models if (path := folder / f"{model}.csv").is_file()}


def curve_charts(curves: dict[str, pd.DataFrame]) -> dict[str, dict]:
    """Charts of accuracy and loss, if there are any."""
    drawn = (("curves", "valid_accuracy", "accuracy on valid"), ("losses", "valid_loss", "loss on valid"))
    return curves and {
        name: charts.curves(
            {model: (rows["epoch"].tolist(), rows[column].tolist()) for model, rows in curves.items()}, "epoch", label
        )
        for name, column, label in drawn
    }
