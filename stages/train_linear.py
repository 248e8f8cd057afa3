"""Train: a linear model of n-grams on one corpus; every setting is tried and the best on valid kept."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import save
from sklearn.model_selection import ParameterGrid
from threadpoolctl import threadpool_limits

from stages.common import command, files, params
from stages.models import tfidf
from stages.text.vocabulary import write_vocabulary
from stages.training.class_weights import class_weights
from stages.training.trained import predictions, write_trained
from stages.training.validation import quality, scores_on_valid


def search(
    train: pd.DataFrame, valid: pd.DataFrame, choose_by: str, weights: np.ndarray | None, **settings: list
) -> pd.DataFrame:
    """The scores on valid that every combination of settings reaches; weights: of the classes, (C,), or none."""
    tried = []
    for longest in settings.pop("longest_ngram"):
        counted = tfidf.count(train["words"], longest)
        for setting in ParameterGrid(settings):
            model = tfidf.fit(*counted, train["label"].to_numpy(), class_weights=weights, **setting)
            found = scores_on_valid(valid["label"].to_numpy(), model.probabilities(valid["words"]), choose_by)
            tried.append({"longest_ngram": longest, **setting, **found})
            shown = "  ".join(f"{name} {value:.4g}" for name, value in found.items())
            print(f"{longest}-grams  {setting}  {shown}", flush=True)
    return pd.DataFrame(tried)


def fit(rows: pd.DataFrame, weights: np.ndarray | None, *, longest_ngram: int, **setting: object) -> tfidf.Classifier:
    counted = tfidf.count(rows["words"], longest_ngram)
    return tfidf.fit(*counted, rows["label"].to_numpy(), class_weights=weights, **setting)


def train(arguments: argparse.Namespace) -> None:
    corpus, settings = params.section("corpora", arguments.corpus), params.section("models", arguments.model)["search"]
    rows = {path.stem: pd.read_parquet(path) for path in sorted(arguments.words.glob("*.parquet"))}
    training, labels = corpus["training"], list(corpus["labels"])
    weighting, choose_by = training.get("class_weights", "none"), training.get("choose_by", "loss")
    weights = class_weights(weighting, rows["train"]["label"], labels)
    tried = search(rows["train"], rows["valid"], choose_by, weights, **settings)
    best = max(tried.to_dict("records"), key=lambda scores: quality(scores, choose_by))
    best = {name: best[name] for name in settings}
    model = fit(rows["train"], weights, **best)
    probabilities = {"valid": model.probabilities(rows["valid"]["words"])}
    if training["final_fit"]:
        known = pd.concat([part for split, part in rows.items() if split != "test"])
        model = fit(known, class_weights(weighting, known["label"], labels), **best)
    probabilities["test"] = model.probabilities(rows["test"]["words"])

    about = {"kind": "text", "tokenizer": corpus["tokenizer"], "files": ["ngrams.txt"]}
    trained = {"model": arguments.model, "arguments": best, "input": about, "corpus": arguments.corpus}
    trained |= {"labels": labels, "class_weights": weighting, "seed": None, "best_epoch": None}
    trained["parameters"] = model.tensors()["coefficients"].size + model.tensors()["intercepts"].size
    tables = [predictions(split, rows[split], given, labels) for split, given in probabilities.items()]
    with files.new_folder(arguments.out) as folder:
        (folder / "model.safetensors").write_bytes(save(model.tensors()))
        write_vocabulary(folder / "ngrams.txt", model.ngrams)
        write_trained(folder, trained, tried, pd.concat(tables), kept=[])
    print(f"best on valid: {best}")


def main() -> None:
    arguments = command.arguments(__doc__, corpus=str, model=str, words=Path, out=Path)
    with threadpool_limits(params.section("corpora", arguments.corpus)["threads"]):  # results depend on their number
        train(arguments)


if __name__ == "__main__":
    command.run(main)
