"""Compare: all scores of a corpus's models, how sure their accuracies are, and which models differ."""

import json
from pathlib import Path

import numpy as np
from sklearn.metrics import confusion_matrix

from stages.common import command, files, params
from stages.scoring.comparisons import compare_pairs, interval, resampled_accuracies, rounded
from stages.scoring.predictions import Predictions, read_predictions
from stages.scoring.scores import over_seeds, scores, scores_by_class
from stages.scoring.selection import selected_models, teacher


def model_scores(found: Predictions, resampled: np.ndarray, confidence: float) -> dict:
    """A model's scores, means over its trainings; its accuracy's interval; the share of rows in each cell of confusion.

    resampled: its accuracy on every bootstrap sample.
    """
    runs, _, classes = found.probabilities.shape
    labels = np.tile(found.labels, runs)
    cells = confusion_matrix(labels, found.predicted.ravel(), labels=range(classes), normalize="all")
    return over_seeds([scores(found.labels, probabilities) for probabilities in found.probabilities]) | {
        "runs": runs,
        "accuracies": [rounded(accuracy) for accuracy in found.correct.mean(axis=1)],
        "interval": interval(resampled, confidence),
        "confusion": [[rounded(share) for share in row] for row in cells],  # rows: actual classes
    }


def main() -> None:
    arguments = command.arguments(__doc__, corpus=str, predictions=Path, metrics=Path, out=Path)
    everything = params.load()
    chosen, split = everything["compare"], everything["evaluate"]["splits"][-1]
    names, classes = selected_models(everything), list(params.section("corpora", arguments.corpus)["labels"])
    models = read_predictions(arguments.predictions, names, split, classes)
    correct = {name: found.correct for name, found in models.items()}
    shares = np.stack([by_training.mean(axis=0) for by_training in correct.values()])
    resampled = resampled_accuracies(shares, chosen["resamples"], chosen["seed"])

    metrics = {name: json.loads((arguments.metrics / f"{name}.json").read_text(encoding="utf-8")) for name in names}
    by_class = len(classes) > 2 or any("by_class" in scored.get(split, {}) for scored in metrics.values())
    found = {}
    for name, accuracies in zip(names, resampled, strict=True):
        found[name] = model_scores(models[name], accuracies, chosen["confidence"])
        found[name]["parameters"] = metrics[name]["parameters"]
        if by_class:
            found[name]["by_class"] = scores_by_class(models[name].labels, models[name].predicted, classes)
    pairs = compare_pairs(correct, resampled, chosen["confidence"])
    about = {"split": split, "rows": shares.shape[1], "classes": classes, "order": names}
    about |= {"teacher": teacher(everything)}
    files.write_json(arguments.out, about | chosen | {"models": found, "pairs": pairs})
    different = sum(pair["differs"] for pair in pairs)
    print(f"{arguments.corpus}: the tests tell {different} of {len(pairs)} pairs of models apart")


if __name__ == "__main__":
    command.run(main)
