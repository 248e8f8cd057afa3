"""Train: one rung on one corpus with one seed."""

import functools
import importlib
import operator
from pathlib import Path

import pandas as pd
import torch
from safetensors.torch import load_file, save

from stages.lib import command, files, params
from stages.lib.batches import Sequences, read_splits
from stages.lib.checkpoints import Checkpoint, resume_key
from stages.lib.command import InputError
from stages.lib.devices import choose_device
from stages.lib.inference import predict
from stages.lib.inputs import read_input
from stages.lib.runs import write_run
from stages.lib.training import Trainer, fit


def rows_but_test(rows: dict[str, Sequences], corpus: str) -> Sequences:
    if set(rows["valid"].ids) & set(rows["test"].ids):
        raise InputError(f"params.yaml: corpora.{corpus}: valid holds test rows; set its final_fit to false")
    return functools.reduce(operator.add, [rows[split] for split in rows if split != "test"])


def predictions(rows: Sequences, split: str, logits: torch.Tensor) -> pd.DataFrame:
    probability = logits.softmax(dim=1)[:, -1].numpy()
    return pd.DataFrame({"split": split, "id": rows.ids, "label": rows.labels, "probability": probability})


def main() -> None:
    paths = {"input": Path, "checkpoints": Path, "out": Path}
    optional = {"pretrained": Path}
    arguments = command.arguments(__doc__, optional, corpus=str, model=str, seed=int, schedule=str, **paths)
    corpus, model = params.section("corpora", arguments.corpus), params.section("models", arguments.model)
    training, about = corpus[arguments.schedule], read_input(arguments.input)
    rows = read_splits(arguments.input)
    sizes = {**about["arguments"], "classes": len(corpus["labels"]), **model["architecture"]}
    classifier = importlib.import_module(f"stages.models.{arguments.model}").Classifier
    pretrained = load_file(arguments.pretrained) if arguments.pretrained else None
    device = choose_device()

    def new_trainer() -> Trainer:
        torch.manual_seed(arguments.seed)
        module = classifier(**sizes)
        if pretrained is not None:
            module.load_pretrained(pretrained)
        return Trainer(module, device, **model["optimization"])

    read = [*arguments.input.iterdir(), *([arguments.pretrained] if arguments.pretrained else [])]
    key = resume_key(read, model, training, arguments.seed, device.type)
    checkpoints = [Checkpoint(arguments.checkpoints, f"{key}-{number}") for number in (1, 2)]
    settings = {name: training[name] for name in ("batch_size", "epochs", "patience")} | {"seed": arguments.seed}

    rows_of_final_fit = rows_but_test(rows, arguments.corpus) if training["final_fit"] else None
    trainer = new_trainer()
    progress = fit(trainer, rows["train"], rows["valid"], checkpoints[0], **settings)
    tables = [predictions(rows["valid"], "valid", predict(trainer.averaged, rows["valid"], device))]
    if rows_of_final_fit is not None:
        print(f"final fit on all rows but test, {progress.best_epoch} epochs", flush=True)
        trainer = new_trainer()
        fit(trainer, rows_of_final_fit, None, checkpoints[1], last_epoch=progress.best_epoch, **settings)
    tables.append(predictions(rows["test"], "test", predict(trainer.averaged, rows["test"], device)))

    run = {"model": arguments.model, "arguments": sizes, "input": about, "corpus": arguments.corpus}
    run |= {"labels": list(corpus["labels"]), "seed": arguments.seed, "best_epoch": progress.best_epoch}
    run["parameters"] = sum(parameter.numel() for parameter in trainer.model.parameters())
    kept = [arguments.input / name for name in about["files"]]
    with files.new_folder(arguments.out) as folder:
        (folder / "model.safetensors").write_bytes(save(trainer.best))
        write_run(folder, run, pd.DataFrame(progress.history), pd.concat(tables), kept)
    for checkpoint in checkpoints:
        checkpoint.remove()


if __name__ == "__main__":
    command.run(main)
