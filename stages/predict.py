"""Score texts with a trained model: a person's command, and no stage of the pipeline.

Texts come as arguments, from a file or from standard input, one a line. A terminal gets a table, anything
else JSON lines: text, label, and the probability of the last of two classes (positive) or those of all.
"""

import argparse
import gc
import sys
from pathlib import Path

from stages.common import command, params
from stages.common.command import InputError
from stages.serving.choice import most_accurate, seeds
from stages.serving.console import chunks, read_texts, show
from stages.serving.scorers import load_scorer
from stages.training.trained import trained_folders


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="*", help="texts to score, each in quotes")
    parser.add_argument("--corpus", required=True, help="what the model was trained on")
    parser.add_argument("--model", help="its name; without it, the most accurate on valid")
    parser.add_argument("--seed", type=int, help="which of its trainings; without it, the first")
    parser.add_argument(
        "--trained", type=Path, default=Path("data/trained"), help="where trained models are: %(default)s"
    )
    parser.add_argument("--encoders", type=Path, default=Path("data/encoders"), help="and encoders: %(default)s")
    parser.add_argument("--metrics", type=Path, default=Path("metrics"), help="and how accurate they are: %(default)s")
    parser.add_argument("--file", type=Path, help="a file of texts, one a line")
    return parser.parse_args()


def main() -> None:
    arguments = read_arguments()
    models = arguments.trained / arguments.corpus
    sys.stdout.reconfigure(encoding="utf-8")
    model = arguments.model
    if model is None:
        model = most_accurate(models, arguments.metrics / arguments.corpus)
        print(f"scored by {model}; --model chooses another", file=sys.stderr)
    known = sorted(path.name for path in models.glob("*"))
    if known and model not in known:
        raise InputError(f"{models} has no {model!r}{params.suggestion(model, known)}")
    folders = trained_folders(models / model, seeds(models / model) if arguments.seed is None else [arguments.seed])
    if arguments.seed is not None and "" in folders:
        raise InputError(f"{models / model} is trained without a seed; leave --seed out")
    gc.disable()  # it would look through what torch and transformers import again and again, for most of a second
    trained, scorer = load_scorer(next(iter(folders.values())), arguments.encoders)
    gc.enable()
    for chunk in chunks(read_texts(arguments.texts, arguments.file)):
        for text, probabilities in zip(chunk, scorer(chunk), strict=True):
            show(text, probabilities, trained["labels"])


if __name__ == "__main__":
    command.run(main)
