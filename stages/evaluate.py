"""Evaluate: a rung's scores on a corpus, from the saved predictions of all its seeds."""

from pathlib import Path

import numpy as np
import pandas as pd

from stages.common import command, files, params
from stages.scoring.scores import over_seeds, scores
from stages.training.trained import probability_columns, read_trained, trained_folders

SHOWN = ("accuracy", "accuracy_std", "f1", "log_loss")  # by `dvc metrics diff`; `compare` has the others
DIGITS = 3  # a tenth of a point: what is less does not tell one run from the next


def split_scores(tables: list[pd.DataFrame], split: str, columns: list[str]) -> dict[str, float]:
    rows = [table[table["split"] == split] for table in tables]
    found = over_seeds([scores(part["label"].to_numpy(), part[columns].to_numpy()) for part in rows], DIGITS)
    return {name: found[name] for name in SHOWN} | {"n": len(rows[0])}


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
    columns = probability_columns(about["labels"])
    metrics = {split: split_scores(list(tables.values()), split, columns) for split in splits}
    metrics |= {"parameters": about["parameters"]}
    given = probabilities(tables, splits, columns)
    with files.new_file(arguments.predictions) as temporary:
        given.to_parquet(temporary, index=False)
    with files.new_file(arguments.confusion) as temporary:
        confusion(list(tables.values()), splits[-1], about["labels"]).to_csv(temporary, index=False)
    if arguments.curves:
        with files.new_file(arguments.curves) as temporary:
            learning_curves(list(folders.values())).to_csv(temporary, float_format="%.4f")
    files.write_json(arguments.metrics, metrics)
    print("  ".join(f"{split} accuracy {metrics[split]['accuracy']:.4f}" for split in splits))


if __name__ == "__main__":
    command.run(main)
