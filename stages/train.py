"""Train: one rung on one corpus with one seed."""

import importlib
import json
import sys
from pathlib import Path

import pandas as pd
import torch
from safetensors.torch import save
from torch import nn

from stages.lib import command, files, params
from stages.lib.batches import Sequences
from stages.lib.checkpoints import Checkpoint
from stages.lib.params import SPLITS
from stages.lib.training import Trainer, choose_device, fit, predict
from stages.lib.vocabulary import read_vocabulary


def build_model(name: str, arguments: dict) -> nn.Module:
    """A rung by its module's name."""
    return importlib.import_module(f"stages.models.{name}").Classifier(**arguments)


def loaded_code() -> list[Path]:
    """The project's modules in this process: with the parameters and the data, what a checkpoint depends on."""
    return [
        Path(module.__file__) for name, module in sys.modules.items() if name.startswith("stages.") and module.__file__
    ]


def predictions(rows: Sequences, split: str, logits: torch.Tensor) -> pd.DataFrame:
    """Each row's id, label and probability of the last class (of two: positive)."""
    probability = logits.softmax(dim=1)[:, -1].numpy()
    return pd.DataFrame({"split": split, "id": rows.ids, "label": rows.labels, "probability": probability})


def main() -> None:
    arguments = command.arguments(__doc__, corpus=str, model=str, seed=int, ids=Path, checkpoints=Path, out=Path)
    everything = params.load()
    corpus, model = everything["corpora"][arguments.corpus], everything["models"][arguments.model]
    rows = {split: Sequences.read(arguments.ids / f"{split}.parquet") for split in SPLITS}
    vocabulary_size = len(read_vocabulary(arguments.ids / "vocab.txt"))
    model_arguments = {"vocabulary_size": vocabulary_size, "classes": len(corpus["labels"]), **model["architecture"]}

    torch.manual_seed(arguments.seed)
    trainer = Trainer(build_model(arguments.model, model_arguments), choose_device(), **model["optimization"])
    key = files.digest(
        [*loaded_code(), *arguments.ids.iterdir()], model, corpus["training"], arguments.seed, torch.__version__
    )
    checkpoint = Checkpoint(arguments.checkpoints, key)
    progress = fit(trainer, rows["train"], rows["valid"], checkpoint, seed=arguments.seed, **corpus["training"])

    run = {
        "format": 1,
        "model": arguments.model,
        "arguments": model_arguments,
        "input": "words",
        "corpus": arguments.corpus,
        "seed": arguments.seed,
        "labels": list(corpus["labels"]),
        "best_epoch": progress.best_epoch,
        "parameters": sum(parameter.numel() for parameter in trainer.model.parameters()),
    }
    with files.new_folder(arguments.out) as folder:
        (folder / "model.safetensors").write_bytes(save(trainer.best))
        (folder / "run.json").write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")
        pd.DataFrame(progress.history).to_csv(folder / "history.csv", index=False)
        tables = [
            predictions(rows[split], split, predict(trainer.averaged, rows[split], trainer.device))
            for split in ("valid", "test")
        ]
        pd.concat(tables).to_parquet(folder / "predictions.parquet", index=False)
    checkpoint.remove()


if __name__ == "__main__":
    command.run(main)
