"""Repeat: a training as notebook K did it, with plain SGD, rows in file order, and scores on test after every epoch."""

import importlib
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from tqdm import tqdm

from stages.common import command, files, params
from stages.training.inference import predict
from stages.training.inputs import read_input
from stages.training.sequences import Sequences, all_but_test, read_splits

CPU = torch.device("cpu")


def in_file_order(rows: dict[str, Sequences]) -> Sequences:
    """All rows of the training file, including those held out for `valid`."""
    joined = all_but_test(rows)
    order = np.argsort([int(id.rpartition(":")[2]) for id in joined.ids])  # `<file>:<line>`
    position = np.concatenate([np.arange(*joined.offsets[[row, row + 1]]) for row in order])
    offsets = np.concatenate([[0], np.cumsum(joined.lengths[order])])
    return Sequences(joined.ids[order], joined.labels[order], joined.tokens[position], offsets)


def start_as_torch_does(model: nn.Module) -> None:
    """Draw the notebook's initial weights. Its recurrence is one linear layer, so only one of our two biases learns."""
    nn.init.normal_(model.embedding.weight)
    if recurrence := getattr(model, "recurrence", None):
        bound = (model.embedding.embedding_dim + recurrence.hidden_size) ** -0.5
        for weight in recurrence.parameters():
            nn.init.uniform_(weight, -bound, bound)
        nn.init.zeros_(recurrence.bias_hh).requires_grad_(False)


def train_epoch(
    model: nn.Module, optimizer: torch.optim.Optimizer, rows: Sequences, batch_size: int, aligned: bool
) -> dict[str, float]:
    """One pass over the rows. Unless `aligned`, a batch is sorted by length and its labels not, as notebook K did."""
    model.train()
    loss_sum, right = 0.0, 0
    for start in tqdm(range(0, len(rows), batch_size), leave=False, disable=None):
        batch = np.arange(start, min(start + batch_size, len(rows)))
        ids, lengths, labels = rows.batch(batch, CPU)
        order = slice(None) if aligned else lengths.argsort(descending=True, stable=True)
        logits = model(ids[order], lengths[order])
        loss = F.cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(batch)
        right += (logits.argmax(dim=1) == labels).sum().item()
    return {"train_loss": round(loss_sum / len(rows), 4), "train_accuracy": round(right / len(rows), 4)}


def main() -> None:
    arguments = command.arguments(__doc__, corpus=str, recipe=str, input=Path, out=Path)
    torch.set_num_threads(params.section("corpora", arguments.corpus)["threads"])  # results depend on their number
    recipe, rows = params.section("notebook", arguments.recipe), read_splits(arguments.input)
    train, test = in_file_order(rows), rows["test"]
    torch.manual_seed(recipe["seed"])
    sizes = {**read_input(arguments.input)["arguments"], "classes": len(np.unique(train.labels))}
    model = importlib.import_module(f"stages.models.{recipe['model']}").Classifier(**sizes, **recipe["architecture"])
    start_as_torch_does(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=recipe["learning_rate"])
    epochs = []
    for number in range(1, recipe["epochs"] + 1):
        epochs.append(train_epoch(model, optimizer, train, recipe["batch_size"], recipe["aligned"]))
        right = predict(model, test, CPU).argmax(dim=1).numpy() == test.labels
        epochs[-1]["test_accuracy"] = round(float(right.mean()), 4)
        print(f"epoch {number}  " + "  ".join(f"{name} {value:.4g}" for name, value in epochs[-1].items()), flush=True)
    files.write_json(arguments.out, {"rows": len(train), "test_rows": len(test), "epochs": epochs})


if __name__ == "__main__":
    command.run(main)
