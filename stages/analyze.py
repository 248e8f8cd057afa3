"""Analyze: where a corpus's models err: calibration, kinds of texts, the surest mistakes, agreement between models."""

from pathlib import Path

import numpy as np
import pandas as pd

from stages.common import command, files, params
from stages.common.command import InputError
from stages.scoring.calibration import expected_calibration_error, reliability
from stages.scoring.predictions import Predictions, read_predictions
from stages.scoring.selection import selected_models
from stages.scoring.text_subsets import text_subsets
from stages.text.vocabulary import SPECIAL_TOKENS, read_vocabulary

MISTAKES = 5  # of a model


def errors_of(found: Predictions, kinds: dict[str, pd.Series]) -> dict:
    """A model's calibration over all its trainings, its accuracy by kinds of texts, and its surest mistakes.

    kinds: by the name of each way to tell texts apart, the group of every text, in the order of the rows.
    """
    classes = found.probabilities.shape[2]
    curve = reliability(np.tile(found.labels, len(found.predicted)), found.probabilities.reshape(-1, classes))
    return {
        "expected_calibration_error": expected_calibration_error(curve),
        "reliability": curve,
        "accuracy_by": {kind: accuracy_by(groups, found.correct.mean(axis=0)) for kind, groups in kinds.items()},
        "mistakes": surest_mistakes(found),
    }


def accuracy_by(groups: pd.Series, correct: np.ndarray) -> list[dict]:
    by_group = pd.Series(correct, groups.index).groupby(groups, observed=True)
    return [{"group": name, "rows": len(rows), "accuracy": round(rows.mean(), 4)} for name, rows in by_group]


def surest_mistakes(found: Predictions) -> list[dict]:
    """Where the trainings' mean gives the label least, with what it gives it."""
    mean = found.probabilities.mean(axis=0)
    true_probabilities = mean[np.arange(len(mean)), found.labels]
    wrong = np.flatnonzero(mean.argmax(axis=1) != found.labels)
    return [
        {
            "id": found.ids[row],
            "label": int(found.labels[row]),
            "probability_of_label": round(float(true_probabilities[row]), 4),
        }
        for row in wrong[np.argsort(true_probabilities[wrong], kind="stable")][:MISTAKES]
    ]


def main() -> None:
    paths = {"predictions": Path, "rows": Path, "words": Path, "ids": Path, "out": Path, "texts": Path}
    arguments = command.arguments(__doc__, corpus=str, **paths)
    everything = params.load()
    split, names = everything["evaluate"]["splits"][-1], selected_models(everything)
    classes = list(params.section("corpora", arguments.corpus)["labels"])
    models = read_predictions(arguments.predictions, names, split, classes)
    words = pd.read_parquet(arguments.words / f"{split}.parquet").set_index("id")["words"].sort_index()
    if list(words.index) != list(models[names[0]].ids):
        raise InputError(f"{arguments.words} is of other rows than {arguments.predictions}; run `dvc repro`")
    kinds = text_subsets(words, set(read_vocabulary(arguments.ids / "vocab.txt")) - set(SPECIAL_TOKENS))
    found = {name: errors_of(predictions, kinds) for name, predictions in models.items()}
    first = {name: predictions.predicted[0] for name, predictions in models.items()}
    agreement = {a: {b: round(float((first[a] == first[b]).mean()), 4) for b in first} for a in first}
    files.write_json(arguments.out, {"split": split, "models": found, "agreement": agreement})

    texts = pd.read_parquet(arguments.rows / f"{split}.parquet").set_index("id")["text"]
    ids = sorted({mistake["id"] for model in found.values() for mistake in model["mistakes"]})
    files.write_json(arguments.texts, {row: texts[row] for row in ids})
    print(*(f"{name}: calibration error {model['expected_calibration_error']:.3f} " for name, model in found.items()))


if __name__ == "__main__":
    command.run(main)
