"""Score texts with a trained model: a command for people, not a stage of the pipeline.

Texts come as arguments, or one a line from a file or from standard input. A terminal shows a table; otherwise
JSON lines have text, label, and the probability of the last of two classes (positive) or of each of several.
"""

import argparse
import gc
import sys
from pathlib import Path

from stages.common import command, params
from stages.common.command import InputError
from stages.common.suggestions import suggestion
from stages.serving.console import chunks, read_texts, show
from stages.serving.default_model import best_on_valid, seeds
from stages.serving.scorers import load_scorer
from stages.training.trained import trained_folders


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="*", help="texts to score, each in quotes")
    parser.add_argument("--corpus", required=True, help="what the model was trained on")
    parser.add_argument("--model", help="the model's name; without it, the model that is best on valid")
    parser.add_argument("--seed", type=int, help="the seed of one of its trainings; without it, the first")
    parser.add_argument(
        "--trained", type=Path, default=Path("data/trained"), help="where trained models are: %(default)s"
    )
    parser.add_argument("--encoders", type=Path, default=Path("data/encoders"), help="where encoders are: %(default)s")
    parser.add_argument("--metrics", type=Path, default=Path("metrics"), help="where accuracies are: %(default)s")
    parser.add_argument("--file", type=Path, help="a file with a text on every line")
    return parser.parse_args()


def main() -> None:
    arguments = read_arguments()
    models = arguments.trained / arguments.corpus
    sys.stdout.reconfigure(encoding="utf-8")
    model = arguments.model
    if model is None:
        choose_by = params.corpus(arguments.corpus)["training"].get("choose_by", "accuracy")
        model = best_on_valid(models, arguments.metrics / arguments.corpus, choose_by)
        print(f"scored by {model}; --model chooses another", file=sys.stderr)
    known = sorted(path.name for path in models.glob("*"))
    if known and model not in known:
        raise InputError(f"{models} has no {model!r}{suggestion(model, known)}")
    folders = trained_folders(models / model, seeds(models / model) if arguments.seed is None else [arguments.seed])
    if arguments.seed is not None and "" in folders:
        raise InputError(f"{models / model} was trained without a seed; leave --seed out")
    gc.disable()  # collecting while torch and transformers are imported takes most of a second
    trained, scorer = load_scorer(next(iter(folders.values())), arguments.encoders)
    gc.enable()
    for chunk in chunks(read_texts(arguments.texts, arguments.file)):
        for text, probabilities in zip(chunk, scorer(chunk), strict=True):
            show(text, probabilities, trained["labels"])


if __name__ == "__main__":
    command.run(main)
