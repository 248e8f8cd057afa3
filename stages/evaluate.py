"""Evaluate: a rung's scores on a corpus, from the saved predictions of all its seeds."""

import json
from pathlib import Path

import pandas as pd

from stages.lib import command, files, params
from stages.lib.scores import THRESHOLD, over_seeds, scores


def split_scores(runs: list[pd.DataFrame], split: str) -> dict[str, float]:
    rows = [run[run["split"] == split] for run in runs]
    return over_seeds([scores(run["label"].to_numpy(), run["probability"].to_numpy()) for run in rows]) | {
        "n": len(rows[0])
    }


def probabilities(runs: dict[int, pd.DataFrame], splits: list[str]) -> pd.DataFrame:
    """One row an example: split, id, label, and the probability that each seed's run gave."""
    table = next(iter(runs.values()))[["split", "id", "label"]].copy()
    for seed, run in runs.items():
        table[f"probability_{seed}"] = run["probability"].to_numpy()
    return table[table["split"].isin(splits)]


def confusion(table: pd.DataFrame, seeds: list[int], labels: list[str]) -> pd.DataFrame:
    """What `dvc plots` draws: the actual and the predicted class of every row and seed of the last split."""
    rows = table[table["split"] == table["split"].iloc[-1]]
    actual = rows["label"].map(dict(enumerate(labels)))
    predicted = [(rows[f"probability_{seed}"] > THRESHOLD).astype(int).map(dict(enumerate(labels))) for seed in seeds]
    return pd.DataFrame({"actual": pd.concat([actual] * len(seeds)), "predicted": pd.concat(predicted)})


def main() -> None:
    arguments = command.arguments(__doc__, runs=Path, metrics=Path, results=Path, plots=Path)
    everything = params.load()
    seeds, splits = everything["run"]["seeds"], everything["evaluate"]["splits"]
    runs = {seed: pd.read_parquet(arguments.runs / str(seed) / "predictions.parquet") for seed in seeds}
    about = json.loads((arguments.runs / str(seeds[0]) / "run.json").read_text(encoding="utf-8"))
    metrics = {split: split_scores(list(runs.values()), split) for split in splits} | {
        "parameters": about["parameters"]
    }
    table = probabilities(runs, splits)
    histories = pd.concat([pd.read_csv(arguments.runs / str(seed) / "history.csv") for seed in seeds])

    with files.new_folder(arguments.plots) as folder:
        histories.groupby("epoch").mean().to_csv(folder / "learning_curves.csv")  # means of the seeds still training
        confusion(table, seeds, about["labels"]).to_csv(folder / "confusion.csv", index=False)
    with files.new_file(arguments.results) as temporary:
        table.to_parquet(temporary, index=False)
    files.write_json(arguments.metrics, metrics)
    print("  ".join(f"{split} accuracy {metrics[split]['accuracy']:.4f}" for split in splits))


if __name__ == "__main__":
    command.run(main)
