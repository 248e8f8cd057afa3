"""Train: a linear model of n-grams on one corpus; every setting is tried and the best on valid kept."""

import argparse
from pathlib import Path

import pandas as pd
from safetensors.numpy import save
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import ParameterGrid
from threadpoolctl import threadpool_limits

from stages.common import command, files, params
from stages.models import tfidf
from stages.text.vocabulary import write_vocabulary
from stages.training.trained import predictions, write_trained


def search(train: pd.DataFrame, valid: pd.DataFrame, longest_ngram: list[int], **others: list) -> pd.DataFrame:
    """The loss and the accuracy on valid that every combination of settings reaches."""
    tried = []
    for longest in longest_ngram:
        counted = tfidf.count(train["words"], longest)
        for setting in ParameterGrid(others):
            model = tfidf.fit(*counted, train["label"].to_numpy(), **setting)
            probabilities = model.probabilities(valid["words"])
            loss = log_loss(valid["label"], probabilities, labels=range(probabilities.shape[1]))
            accuracy = accuracy_score(valid["label"], probabilities.argmax(axis=1))
            tried.append({"longest_ngram": longest, **setting, "valid_loss": loss, "valid_accuracy": accuracy})
            print(f"{longest}-grams  {setting}  valid_loss {loss:.4g}  valid_accuracy {accuracy:.4g}", flush=True)
    return pd.DataFrame(tried)


def fit(rows: pd.DataFrame, longest_ngram: int, **setting: object) -> tfidf.Classifier:
    return tfidf.fit(*tfidf.count(rows["words"], longest_ngram), rows["label"].to_numpy(), **setting)


def train(arguments: argparse.Namespace) -> None:
    corpus, settings = params.section("corpora", arguments.corpus), params.section("models", arguments.model)["search"]
    rows = {path.stem: pd.read_parquet(path) for path in sorted(arguments.words.glob("*.parquet"))}
    tried = search(rows["train"], rows["valid"], **settings)
    best = tried.loc[tried["valid_loss"].idxmin(), list(settings)].to_dict()
    model = fit(rows["train"], **best)
    probabilities = {"valid": model.probabilities(rows["valid"]["words"])}
    if corpus["training"]["final_fit"]:
        model = fit(pd.concat([part for split, part in rows.items() if split != "test"]), **best)
    probabilities["test"] = model.probabilities(rows["test"]["words"])

    about = {"kind": "text", "tokenizer": corpus["tokenizer"], "files": ["ngrams.txt"]}
    trained = {"model": arguments.model, "arguments": best, "input": about, "corpus": arguments.corpus}
    trained |= {"labels": list(corpus["labels"]), "seed": None, "best_epoch": None}
    trained["parameters"] = model.tensors()["coefficients"].size + model.tensors()["intercepts"].size
    tables = [predictions(split, rows[split], given, trained["labels"]) for split, given in probabilities.items()]
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
