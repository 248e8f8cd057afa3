"""Evaluate: a rung's scores on a corpus, from the saved predictions of all its seeds."""

from pathlib import Path

import numpy as np
import pandas as pd

from stages.common import command, files, params
from stages.lib.scores import over_seeds, scores
from stages.training.runs import probability_columns, read_run, run_folders

SHOWN = ("accuracy", "accuracy_std", "f1", "log_loss")  # by `dvc metrics diff`; `compare` has the others
DIGITS = 3  # a tenth of a point: what is less does not tell one run from the next


def split_scores(runs: list[pd.DataFrame], split: str, columns: list[str]) -> dict[str, float]:
    rows = [run[run["split"] == split] for run in runs]
    found = over_seeds([scores(run["label"].to_numpy(), run[columns].to_numpy()) for run in rows], DIGITS)
    return {name: found[name] for name in SHOWN} | {"n": len(rows[0])}


def probabilities(runs: dict[str, pd.DataFrame], splits: list[str], columns: list[str]) -> pd.DataFrame:
    """One row an example: split, id, label, and what the run of each seed gave every class but the first."""
    table = next(iter(runs.values()))[["split", "id", "label"]].copy()
    for seed, run in runs.items():
        for column in columns[1:]:
            table[f"{column}_{seed}" if seed else column] = run[column].to_numpy()
    return table[table["split"].isin(splits)]


def confusion(runs: list[pd.DataFrame], split: str, labels: list[str]) -> pd.DataFrame:
    """What `dvc plots` draws: the actual and the predicted class of every row and seed of a split."""
    rows = pd.concat([run[run["split"] == split] for run in runs])
    predicted = rows[probability_columns(labels)].to_numpy().argmax(axis=1)
    return pd.DataFrame({"actual": np.take(labels, rows["label"]), "predicted": np.take(labels, predicted)})


def learning_curves(folders: list[Path]) -> pd.DataFrame:
    """Losses and accuracy of every epoch, means of the runs that were still training then."""
    return pd.concat([pd.read_csv(folder / "history.csv") for folder in folders]).groupby("epoch").mean()


def main() -> None:
    paths = {"runs": Path, "metrics": Path, "predictions": Path, "confusion": Path}
    arguments = command.arguments(__doc__, {"curves": Path}, **paths)
    everything = params.load()
    seeds, splits = everything["run"]["seeds"], everything["evaluate"]["splits"]
    folders = run_folders(arguments.runs, seeds)
    runs = {seed: pd.read_parquet(folder / "predictions.parquet") for seed, folder in folders.items()}
    about = read_run(next(iter(folders.values())))
    columns = probability_columns(about["labels"])
    metrics = {split: split_scores(list(runs.values()), split, columns) for split in splits}
    metrics |= {"parameters": about["parameters"]}
    table = probabilities(runs, splits, columns)
    with files.new_file(arguments.predictions) as temporary:
        table.to_parquet(temporary, index=False)
    with files.new_file(arguments.confusion) as temporary:
        confusion(list(runs.values()), splits[-1], about["labels"]).to_csv(temporary, index=False)
    if arguments.curves:
        with files.new_file(arguments.curves) as temporary:
            learning_curves(list(folders.values())).to_csv(temporary, float_format="%.4f")
    files.write_json(arguments.metrics, metrics)
    print("  ".join(f"{split} accuracy {metrics[split]['accuracy']:.4f}" for split in splits))


if __name__ == "__main__":
    command.run(main)
