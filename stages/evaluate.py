"""Evaluate: a rung's scores on a corpus, from the saved predictions of all its seeds."""

from pathlib import Path

import pandas as pd

from stages.lib import command, files, params
from stages.lib.runs import read_run, run_folders
from stages.lib.scores import THRESHOLD, over_seeds, scores


def split_scores(runs: list[pd.DataFrame], split: str) -> dict[str, float]:
    rows = [run[run["split"] == split] for run in runs]
    return over_seeds([scores(run["label"].to_numpy(), run["probability"].to_numpy()) for run in rows]) | {
        "n": len(rows[0])
    }


def probabilities(runs: dict[str, pd.DataFrame], splits: list[str]) -> pd.DataFrame:
    """One row an example: split, id, label, and the probability that each seed's run, or the only run, gave."""
    table = next(iter(runs.values()))[["split", "id", "label"]].copy()
    for seed, run in runs.items():
        table[f"probability_{seed}" if seed else "probability"] = run["probability"].to_numpy()
    return table[table["split"].isin(splits)]


def confusion(table: pd.DataFrame, labels: list[str]) -> pd.DataFrame:
    """What `dvc plots` draws: the actual and the predicted class of every row and seed of the last split."""
    rows = table[table["split"] == table["split"].iloc[-1]]
    actual = rows["label"].map(dict(enumerate(labels)))
    columns = [rows[name] for name in rows if name.startswith("probability")]
    predicted = [(column > THRESHOLD).astype(int).map(dict(enumerate(labels))) for column in columns]
    return pd.DataFrame({"actual": pd.concat([actual] * len(columns)), "predicted": pd.concat(predicted)})


def main() -> None:
    arguments = command.arguments(__doc__, runs=Path, metrics=Path, results=Path, plots=Path)
    everything = params.load()
    seeds, splits = everything["run"]["seeds"], everything["evaluate"]["splits"]
    folders = run_folders(arguments.runs, seeds)
    runs = {seed: pd.read_parquet(folder / "predictions.parquet") for seed, folder in folders.items()}
    about = read_run(next(iter(folders.values())))
    metrics = {split: split_scores(list(runs.values()), split) for split in splits} | {
        "parameters": about["parameters"]
    }
    table = probabilities(runs, splits)
    history = pd.concat([pd.read_csv(folder / "history.csv") for folder in folders.values()])

    with files.new_folder(arguments.plots) as folder:
        if "epoch" in history:  # means of the seeds still training
            history.groupby("epoch").mean().to_csv(folder / "learning_curves.csv")
        confusion(table, about["labels"]).to_csv(folder / "confusion.csv", index=False)
    with files.new_file(arguments.results) as temporary:
        table.to_parquet(temporary, index=False)
    files.write_json(arguments.metrics, metrics)
    print("  ".join(f"{split} accuracy {metrics[split]['accuracy']:.4f}" for split in splits))


if __name__ == "__main__":
    command.run(main)
