"""Predict: score texts with a trained model; as a stage, the sentences of params.yaml with every rung.

Texts come as arguments, from a file or from standard input, one a line. A terminal gets a table, anything
else JSON lines: text, label, and the probability of the last of two classes (positive) or those of all.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from stages.common import command, files, params
from stages.common.command import InputError
from stages.scoring.selection import selected_models
from stages.serving.console import chunks, named, read_texts, show
from stages.serving.scorers import load_scorer
from stages.training.devices import choose_device
from stages.training.trained import most_accurate, trained_folders

TRAINED, ENCODERS = Path("data/trained"), Path("data/encoders")


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="*", help="texts to score, each in quotes")
    parser.add_argument("--corpus", required=True, help="what the model was trained on")
    parser.add_argument("--model", help="a rung; without it, the most accurate on valid")
    parser.add_argument("--seed", type=int, help="which of the rung's trainings; without it, the first of run.seeds")
    parser.add_argument("--file", type=Path, help="a file of texts, one a line")
    parser.add_argument("--out", type=Path, help="score the sentences of params.yaml with every rung, into this file")
    return parser.parse_args()


def score_sentences(sentences: list[str], trained: Path, models: list[str], seeds: list[int]) -> list[dict]:
    """Each sentence with the mean probability that every model's seeds give it."""
    scored = [{"text": sentence} for sentence in sentences]
    for model in models:
        folders = trained_folders(trained / model, seeds).values()
        loaded = [load_scorer(folder, ENCODERS, choose_device()) for folder in folders]
        labels = loaded[0][0]["labels"]
        of_seeds = np.stack([scorer(sentences) for _, scorer in loaded])  # (seeds, sentences, classes)
        for entry, probabilities in zip(scored, of_seeds.mean(axis=0), strict=True):
            for key, value in named(probabilities, labels, 4).items():
                entry.setdefault(key, {})[model] = value
    return scored


def main() -> None:
    arguments = read_arguments()
    everything = params.load()
    models = TRAINED / arguments.corpus
    if arguments.out:
        names, seeds = selected_models(everything), everything["run"]["seeds"]
        scored = score_sentences(everything["predict"]["sentences"], models, names, seeds)
        files.write_json(arguments.out, {"sentences": scored})
        return
    sys.stdout.reconfigure(encoding="utf-8")
    run = everything["run"] | everything["corpora"].get(arguments.corpus, {}).get("run", {})  # as CORPORA=… has it
    model = arguments.model
    if model is None:
        model = most_accurate(models, Path("metrics") / arguments.corpus)
        print(f"scored by {model}; --model chooses another", file=sys.stderr)
    known = sorted(path.name for path in models.glob("*"))
    if known and model not in known:
        raise InputError(f"{models} has no {model!r}{params.suggestion(model, known)}")
    folders = trained_folders(models / model, run["seeds"] if arguments.seed is None else [arguments.seed])
    if arguments.seed is not None and "" in folders:
        raise InputError(f"{models / model} is trained without a seed; leave --seed out")
    trained, scorer = load_scorer(next(iter(folders.values())), ENCODERS, choose_device())
    for chunk in chunks(read_texts(arguments.texts, arguments.file)):
        for text, probabilities in zip(chunk, scorer(chunk), strict=True):
            show(text, probabilities, trained["labels"])


if __name__ == "__main__":
    command.run(main)
