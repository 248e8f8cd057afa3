"""Evaluate: a model's scores on a corpus, from the saved predictions of all its seeds."""

from pathlib import Path

import numpy as np
import pandas as pd

from stages.common import command, files, params
from stages.scoring.scores import over_seeds, scores, scores_by_class
from stages.training.trained import probability_columns, read_trained, trained_folders

SHOWN = (
    "accuracy",
    "accuracy_std",
    "balanced_accuracy",
    "macro_f1",
    "f1",
    "log_loss",
)  # by `dvc metrics diff`; `compare` has the others
DIGITS = 3  # a tenth of a point: what is less does not tell one run from the next


def split_scores(tables: list[pd.DataFrame], split: str, classes: list[str], by_class: bool) -> dict:
    """Means over the seeds, of each class too where `by_class` says so."""
    rows = [table[table["split"] == split] for table in tables]
    labels = rows[0]["label"].to_numpy()
    given = [part[probability_columns(classes)].to_numpy() for part in rows]
    found = over_seeds([scores(labels, probabilities) for probabilities in given], DIGITS)
    found = {name: found[name] for name in SHOWN} | {"n": len(labels)}
    if by_class:
        predicted = np.stack([probabilities.argmax(axis=1) for probabilities in given])
        found["by_class"] = scores_by_class(labels, predicted, classes, DIGITS)
    return found


def probabilities(tables: dict[str, pd.DataFrame], splits: list[str], columns: list[str]) -> pd.DataFrame:
    """One row an example: split, id, label, and what the model of each seed gave every class but the first."""
    found = next(iter(tables.values()))[["split", "id", "label"]].copy()
    for seed, table in tables.items():
        for column in columns[1:]:
            found[f"{column}_{seed}" if seed else column] = table[column].to_numpy()
    return found[found["split"].isin(splits)]


def confusion(tables: list[pd.DataFrame], split: str, labels: list[str]) -> pd.DataFrame:
    """What `dvc plots` draws: the actual and the predicted class of every row and seed of a split."""
    rows = pd.concat([table[table["split"] == split] for table in tables])
    predicted = rows[probability_columns(labels)].to_numpy().argmax(axis=1)
    return pd.DataFrame({"actual": np.take(labels, rows["label"]), "predicted": np.take(labels, predicted)})


def learning_curves(folders: list[Path]) -> pd.DataFrame:
    """Losses and accuracy of every epoch, means over the seeds that were still training then."""
    return pd.concat([pd.read_csv(folder / "history.csv") for folder in folders]).groupby("epoch").mean()


def main() -> None:
    paths = {"trained": Path, "metrics": Path, "predictions": Path, "confusion": Path}
    arguments = command.arguments(__doc__, {"curves": Path}, **paths)
    everything = params.load()
    seeds, splits = everything["run"]["seeds"], everything["evaluate"]["splits"]
    folders = trained_folders(arguments.trained, seeds)
    tables = {seed: pd.read_parquet(folder / "predictions.parquet") for seed, folder in folders.items()}
    about = read_trained(next(iter(folders.values())))
    classes, by_class = about["labels"], len(about["labels"]) > 2 or about["class_weights"] != "none"
    metrics = {split: split_scores(list(tables.values()), split, classes, by_class) for split in splits}
    metrics |= {"parameters": about["parameters"]}
    with files.new_file(arguments.predictions) as temporary:
        probabilities(tables, splits, probability_columns(classes)).to_parquet(temporary, index=False)
    with files.new_file(arguments.confusion) as temporary:
        confusion(list(tables.values()), splits[-1], classes).to_csv(temporary, index=False)
    if arguments.curves:
        with files.new_file(arguments.curves) as temporary:
            learning_curves(list(folders.values())).to_csv(temporary, float_format="%.4f")
    files.write_json(arguments.metrics, metrics)
    print("  ".join(f"{split} accuracy {metrics[split]['accuracy']:.4f}" for split in splits))


if __name__ == "__main__":
    command.run(main)
