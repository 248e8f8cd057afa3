"""Train: one rung on one corpus with one seed."""

import functools
import importlib
import json
import operator
from pathlib import Path

import pandas as pd
import torch
from safetensors.torch import save

from stages.lib import command, files, params
from stages.lib.batches import Sequences
from stages.lib.checkpoints import Checkpoint, resume_key
from stages.lib.command import InputError
from stages.lib.training import Trainer, choose_device, fit, predict
from stages.lib.vocabulary import read_vocabulary


def rows_but_test(rows: dict[str, Sequences], corpus: str) -> Sequences:
    if set(rows["valid"].ids) & set(rows["test"].ids):
        raise InputError(f"params.yaml: corpora.{corpus}: valid holds test rows; set training.final_fit to false")
    return functools.reduce(operator.add, [rows[split] for split in rows if split != "test"])


def predictions(rows: Sequences, split: str, logits: torch.Tensor) -> pd.DataFrame:
    """Each row's id, label and probability of the last class (of two: positive)."""
    probability = logits.softmax(dim=1)[:, -1].numpy()
    return pd.DataFrame({"split": split, "id": rows.ids, "label": rows.labels, "probability": probability})


def main() -> None:
    arguments = command.arguments(__doc__, corpus=str, model=str, seed=int, ids=Path, checkpoints=Path, out=Path)
    corpus, model = params.section("corpora", arguments.corpus), params.section("models", arguments.model)
    training = corpus["training"]
    rows = {path.stem: Sequences.read(path) for path in sorted(arguments.ids.glob("*.parquet"))}
    vocabulary_size = len(read_vocabulary(arguments.ids / "vocab.txt"))
    about = {"vocabulary_size": vocabulary_size, "classes": len(corpus["labels"]), **model["architecture"]}
    classifier = importlib.import_module(f"stages.models.{arguments.model}").Classifier
    device = choose_device()

    def new_trainer() -> Trainer:
        torch.manual_seed(arguments.seed)
        return Trainer(classifier(**about), device, **model["optimization"])

    key = resume_key(arguments.ids.iterdir(), model, training, arguments.seed)
    checkpoints = [Checkpoint(arguments.checkpoints, f"{key}-{number}") for number in (1, 2)]
    settings = {name: training[name] for name in ("batch_size", "epochs", "patience")} | {"seed": arguments.seed}

    rows_of_final_fit = rows_but_test(rows, arguments.corpus) if training["final_fit"] else None
    trainer = new_trainer()
    progress = fit(trainer, rows["train"], rows["valid"], checkpoints[0], **settings)
    tables = [predictions(rows["valid"], "valid", predict(trainer.averaged, rows["valid"], device))]
    if rows_of_final_fit is not None:
        print(f"final fit on all rows but test, {progress.best_epoch} epochs", flush=True)
        trainer = new_trainer()
        settings["epochs"] = progress.best_epoch
        fit(trainer, rows_of_final_fit, None, checkpoints[1], **settings)
    tables.append(predictions(rows["test"], "test", predict(trainer.averaged, rows["test"], device)))

    run = {"format": 1, "model": arguments.model, "arguments": about, "input": "words", "corpus": arguments.corpus}
    run |= {"labels": list(corpus["labels"]), "seed": arguments.seed, "best_epoch": progress.best_epoch}
    run["parameters"] = sum(parameter.numel() for parameter in trainer.model.parameters())
    with files.new_folder(arguments.out) as folder:
        (folder / "model.safetensors").write_bytes(save(trainer.best))
        (folder / "run.json").write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")
        pd.DataFrame(progress.history).to_csv(folder / "history.csv", index=False)
        pd.concat(tables).to_parquet(folder / "predictions.parquet", index=False)
    for checkpoint in checkpoints:
        checkpoint.remove()


if __name__ == "__main__":
    command.run(main)
