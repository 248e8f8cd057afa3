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
from stages.lib.lines import chunks, named, read_texts, show
from stages.lib.scorers import load_scorer
from stages.training.devices import choose_device
from stages.training.runs import most_accurate, run_folders

RUNS, ENCODERS = Path("data/runs"), Path("data/encoders")


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="*", help="texts to score, each in quotes")
    parser.add_argument("--corpus", required=True, help="what the model was trained on")
    parser.add_argument("--model", help="a rung; without it, the most accurate on valid")
    parser.add_argument("--seed", type=int, help="which of the rung's runs; without it, the first of run.seeds")
    parser.add_argument("--file", type=Path, help="a file of texts, one a line")
    parser.add_argument("--out", type=Path, help="score the sentences of params.yaml with every rung, into this file")
    return parser.parse_args()


def score_sentences(sentences: list[str], runs: Path, rungs: list[str], seeds: list[int]) -> list[dict]:
    """Each sentence with the mean probability that the runs of every rung give it."""
    scored = [{"text": sentence} for sentence in sentences]
    for rung in rungs:
        loaded = [load_scorer(run, ENCODERS, choose_device()) for run in run_folders(runs / rung, seeds).values()]
        labels = loaded[0][0]["labels"]
        of_runs = np.stack([scorer(sentences) for _, scorer in loaded])  # (runs, sentences, classes)
        for entry, probabilities in zip(scored, of_runs.mean(axis=0), strict=True):
            for key, value in named(probabilities, labels, 4).items():
                entry.setdefault(key, {})[rung] = value
    return scored


def main() -> None:
    arguments = read_arguments()
    everything = params.load()
    runs = RUNS / arguments.corpus
    if arguments.out:
        rungs = params.selected_rungs(everything)
        scored = score_sentences(everything["predict"]["sentences"], runs, rungs, everything["run"]["seeds"])
        files.write_json(arguments.out, {"sentences": scored})
        return
    sys.stdout.reconfigure(encoding="utf-8")
    run = everything["run"] | everything["corpora"].get(arguments.corpus, {}).get("run", {})  # as CORPORA=… has it
    rung = arguments.model
    if rung is None:
        rung = most_accurate(runs, Path("metrics") / arguments.corpus)
        print(f"scored by {rung}; --model chooses another", file=sys.stderr)
    known = sorted(path.name for path in runs.glob("*"))
    if known and rung not in known:
        raise InputError(f"{runs} has no {rung!r}{params.suggestion(rung, known)}")
    folders = run_folders(runs / rung, run["seeds"] if arguments.seed is None else [arguments.seed])
    if arguments.seed is not None and "" in folders:
        raise InputError(f"{runs / rung} is trained without a seed; leave --seed out")
    trained, scorer = load_scorer(next(iter(folders.values())), ENCODERS, choose_device())
    for chunk in chunks(read_texts(arguments.texts, arguments.file)):
        for text, probabilities in zip(chunk, scorer(chunk), strict=True):
            show(text, probabilities, trained["labels"])


if __name__ == "__main__":
    command.run(main)
