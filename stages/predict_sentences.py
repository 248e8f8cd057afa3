"""Predict: every trained model of a corpus scores the sentences of params.yaml."""

from pathlib import Path

import numpy as np
import torch

from stages.common import command, files, params
from stages.scoring.selection import selected_models
from stages.serving.console import named
from stages.serving.scorers import load_scorer
from stages.training.trained import trained_folders


def score_sentences(sentences: list[str], folders: dict[str, list[Path]], encoders: Path) -> list[dict]:
    """Each sentence with every model's probability for it, a mean over the model's seeds."""
    scored = [{"text": sentence} for sentence in sentences]
    for model, trainings in folders.items():
        loaded = [load_scorer(folder, encoders) for folder in trainings]
        labels = loaded[0][0]["labels"]
        found = np.stack([scorer(sentences) for _, scorer in loaded])  # (seeds, sentences, classes)
        for entry, probabilities in zip(scored, found.mean(axis=0), strict=True):
            for key, value in named(probabilities, labels, 4).items():
                entry.setdefault(key, {})[model] = value
    return scored


def main() -> None:
    arguments = command.arguments(__doc__, corpus=str, trained=Path, encoders=Path, out=Path)
    everything = params.load()
    torch.set_num_threads(params.section("corpora", arguments.corpus)["threads"])  # results depend on their number
    names, seeds = selected_models(everything), everything["run"]["seeds"]
    folders = {name: list(trained_folders(arguments.trained / name, seeds).values()) for name in names}
    scored = score_sentences(everything["predict"]["sentences"], folders, arguments.encoders)
    files.write_json(arguments.out, {"sentences": scored})


if __name__ == "__main__":
    command.run(main)
