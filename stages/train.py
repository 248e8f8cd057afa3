"""Train: one model on one corpus with one seed."""

import argparse
import importlib
from pathlib import Path

import pandas as pd
import torch
from safetensors.torch import load_file, save

from stages.common import command, files, params
from stages.common.locks import alone
from stages.training.accelerator.devices import choose_device
from stages.training.checkpoints import Checkpoint, remove_checkpoints, resume_key
from stages.training.class_weights import class_weights
from stages.training.distillation import soften
from stages.training.inference import predict
from stages.training.inputs import read_input
from stages.training.loop import SETTINGS, fit
from stages.training.sequences import Sequences, all_but_test, read_splits
from stages.training.trained import predictions, write_trained
from stages.training.trainer import Trainer


def train(arguments: argparse.Namespace) -> None:
    corpus, model = params.section("corpora", arguments.corpus), params.section("models", arguments.model)
    training, about = corpus[arguments.settings], read_input(arguments.input)
    rows = read_splits(arguments.input)
    learned = soften(rows, arguments.input, **model["distillation"]) if "distillation" in model else rows
    sizes = {**about["arguments"], "classes": len(corpus["labels"]), **model["architecture"]}
    classifier = importlib.import_module(f"stages.models.{arguments.model}").Classifier
    pretrained = load_file(arguments.pretrained) if arguments.pretrained else None
    torch.set_num_threads(corpus["threads"])  # results depend on their number
    device = choose_device(sizes.get("precision"))
    labels, weighting = list(corpus["labels"]), training.get("class_weights", "none")
    encoder = params.section("encoders", arguments.encoder) if arguments.encoder else {}
    optimization = model["optimization"] | encoder.get("optimization", {}) | training.get("optimization", {})

    def new_trainer(on: Sequences) -> Trainer:
        torch.manual_seed(arguments.seed)
        module = classifier(**sizes)
        if pretrained is not None:
            module.load_pretrained(pretrained)
        return Trainer(module, device, class_weights=class_weights(weighting, on.labels, labels), **optimization)

    read = [*arguments.input.iterdir(), *filter(None, [arguments.pretrained])]
    key = resume_key(read, model, training, arguments.seed, device.type, corpus["threads"])
    first, final = (Checkpoint(arguments.checkpoints, f"{key}-{number}") for number in (1, 2))
    settings = {"seed": arguments.seed} | {name: training[name] for name in SETTINGS if name in training}
    trainer = new_trainer(learned["train"])
    progress = fit(trainer, learned["train"], rows["valid"], first, **settings)
    logits = {"valid": predict(trainer.averaged, rows["valid"], device)}
    if training["final_fit"]:
        print(f"final fit on all rows but test, {progress.best_epoch} epochs", flush=True)
        known = all_but_test(learned)
        trainer = new_trainer(known)
        fit(trainer, known, None, final, last_epoch=progress.best_epoch, **settings)
    logits["test"] = predict(trainer.averaged, rows["test"], device)

    trained = {"model": arguments.model, "arguments": sizes, "input": about, "corpus": arguments.corpus}
    trained |= {"labels": labels, "class_weights": weighting, "seed": arguments.seed, "best_epoch": progress.best_epoch}
    trained["parameters"] = sum(parameter.numel() for parameter in trainer.model.parameters())
    named = {split: {"id": rows[split].ids, "label": rows[split].labels} for split in logits}
    tables = [predictions(split, named[split], given.softmax(dim=1).numpy(), labels) for split, given in logits.items()]
    kept = [arguments.input / name for name in about["files"]]
    with files.new_folder(arguments.out) as folder:
        (folder / "model.safetensors").write_bytes(save(trainer.best))
        write_trained(folder, trained, pd.DataFrame(progress.history), pd.concat(tables), kept)
    remove_checkpoints(arguments.checkpoints)


def main() -> None:
    paths, optional = {"input": Path, "checkpoints": Path, "out": Path}, {"encoder": str, "pretrained": Path}
    arguments = command.arguments(__doc__, optional, corpus=str, model=str, seed=int, settings=str, **paths)
    with alone(arguments.checkpoints):
        train(arguments)


if __name__ == "__main__":
    command.run(main)
