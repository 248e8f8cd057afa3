"""Study: why gates help: gradients through time and a task of long memory, for RNN, LSTM and GRU."""

from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from stages.common import command, files, params
from stages.models.layers.gru_cell import GRU
from stages.models.layers.lstm_cell import LSTM
from stages.models.layers.rnn_cell import RNN
from stages.studies.gradient_flow import decay_rate, gradient_norms
from stages.studies.memory_task import SYMBOLS, Recaller, draw

START = "at the start"
TEST_SEQUENCES = 512
POINTS = 25  # on a curve, about


def train(model: Recaller, length: int, clip_norm: float | None, settings: dict, generator: torch.Generator) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=settings["learning_rate"])
    for _ in range(settings["steps"]):
        inputs, first = draw(settings["sequences"], length, generator)
        optimizer.zero_grad()
        F.cross_entropy(model(inputs), first).backward()
        if clip_norm:
            nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
        optimizer.step()


def measured(model: Recaller, length: int, settings: dict, confidence: float) -> dict:
    """The gradient's rate of decay, its mean norms by steps back, and the accuracy on new sequences."""
    generator = torch.Generator().manual_seed(settings["seed"] + 1)
    inputs, _ = draw(settings["sequences"], length, generator)
    norms = gradient_norms(model.recurrence, inputs, generator)
    with torch.no_grad():
        unseen, first = draw(TEST_SEQUENCES, length, generator)
        accuracy = (model(unseen).argmax(dim=1) == first).double().mean().item()
    steps_back = sorted({*range(0, length, -(-length // POINTS)), length - 1})
    curve = {steps: float(f"{norms[:, length - 1 - steps].mean():.3g}") for steps in steps_back}
    fitted = {name: np.round(value, 4).tolist() for name, value in decay_rate(norms, confidence).items()}
    return fitted | {"accuracy": round(accuracy, 4), "norms": curve}


def main() -> None:
    arguments = command.arguments(__doc__, out=Path)
    everything = params.load()
    settings, confidence = everything["study"]["gates"], everything["compare"]["confidence"]
    cells = {"rnn": RNN, "gru": GRU}
    cells |= {f"lstm_{bias}": partial(LSTM, forget_bias=bias) for bias in settings["forget_biases"]}
    torch.set_default_dtype(torch.float64)  # a gradient of 10⁻⁴⁰ is still a number
    torch.set_num_threads(1)  # faster for products as small as these
    found = []
    for name, new_cell in cells.items():
        for length in settings["lengths"]:
            for state in (START, "trained", "trained without clipping"):
                torch.manual_seed(settings["seed"])
                model = Recaller(new_cell(2 * SYMBOLS, settings["hidden_size"]))
                if state != START:
                    clip_norm = settings["clip_norm"] if state == "trained" else None
                    train(model, length, clip_norm, settings, torch.Generator().manual_seed(settings["seed"]))
                cell = {"cell": name, "length": length, "state": state}
                found.append(cell | measured(model, length, settings, confidence))
                print(*(f"{key} {value} " for key, value in found[-1].items() if key != "norms"), flush=True)
    longest = [cell for cell in found if cell["length"] == max(settings["lengths"]) and cell["state"] == START]
    about = {"sequences": settings["sequences"], "summary": {cell["cell"]: cell["rate"] for cell in longest}}
    files.write_json(arguments.out, about | {"cells": found})


if __name__ == "__main__":
    command.run(main)
