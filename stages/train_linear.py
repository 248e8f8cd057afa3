"""Train: a linear model of n-grams on one corpus; every setting is tried and the best on valid kept."""

from pathlib import Path

import pandas as pd
from safetensors.numpy import save
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import ParameterGrid

from stages.lib import command, files, params
from stages.lib.command import InputError
from stages.lib.runs import write_run
from stages.lib.vocabulary import write_vocabulary
from stages.models import tfidf


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


def predictions(model: tfidf.Classifier, rows: pd.DataFrame, split: str) -> pd.DataFrame:
    probability = model.probabilities(rows["words"])[:, -1]
    return pd.DataFrame({"split": split, "id": rows["id"], "label": rows["label"], "probability": probability})


def main() -> None:
    arguments = command.arguments(__doc__, corpus=str, model=str, words=Path, out=Path)
    corpus, settings = params.section("corpora", arguments.corpus), params.section("models", arguments.model)["search"]
    rows = {path.stem: pd.read_parquet(path) for path in sorted(arguments.words.glob("*.parquet"))}
    final_fit = corpus["training"]["final_fit"]
    if final_fit and set(rows["valid"]["id"]) & set(rows["test"]["id"]):
        raise InputError(f"params.yaml: corpora.{arguments.corpus}: valid holds test rows; set its final_fit to false")
    tried = search(rows["train"], rows["valid"], **settings)
    best = tried.loc[tried["valid_loss"].idxmin(), list(settings)].to_dict()
    model = fit(rows["train"], **best)
    tables = [predictions(model, rows["valid"], "valid")]
    if final_fit:
        model = fit(pd.concat([part for split, part in rows.items() if split != "test"]), **best)
    tables.append(predictions(model, rows["test"], "test"))

    about = {"kind": "text", "tokenizer": corpus["tokenizer"], "files": ["ngrams.txt"]}
    run = {"model": arguments.model, "arguments": best, "input": about, "corpus": arguments.corpus}
    run |= {"labels": list(corpus["labels"]), "seed": None, "best_epoch": None}
    run["parameters"] = model.tensors()["coefficients"].size + model.tensors()["intercepts"].size
    with files.new_folder(arguments.out) as folder:
        (folder / "model.safetensors").write_bytes(save(model.tensors()))
        write_vocabulary(folder / "ngrams.txt", model.ngrams)
        write_run(folder, run, tried, pd.concat(tables), kept=[])
    print(f"best on valid: {best}")


if __name__ == "__main__":
    command.run(main)
