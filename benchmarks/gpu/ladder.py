"""SST-2's models on a GPU: a first epoch against the committed one of the CPU, and whole trainings."""

import functools
import math
import operator
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.gpu.measurement import Measurement, attempted, seconds
from benchmarks.gpu.trainings import Inputs
from stages.training.checkpoints import Checkpoint
from stages.training.inference import predict
from stages.training.loop import Progress, fit
from stages.training.sequences import Sequences
from stages.training.trainer import Trainer

LOSS_TOLERANCE = 0.03  # of an epoch's loss between CPU and GPU, whose dropout masks differ
LEAST_UTILISATION = 0.8


@contextmanager
def utilisation(device: torch.device) -> Iterator[list[float]]:
    """During the block, sample the share of time in which a kernel runs, as the driver reports it."""
    samples, over = [], threading.Event()

    def sample() -> None:
        while not over.wait(0.2):
            samples.append(torch.cuda.utilization(device) / 100)

    thread = threading.Thread(target=sample)
    if device.type == "cuda":
        thread.start()
    try:
        yield samples
    finally:
        over.set()
        if thread.is_alive():
            thread.join()


def train(
    inputs: Inputs, trainer: Trainer, about: dict, rows: Sequences, valid: Sequences | None, last_epoch: int | None
) -> Progress:
    settings = {name: about["training"][name] for name in ("batch_size", "epochs", "patience")}
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Checkpoint(Path(folder), "ladder")
        return fit(trainer, rows, valid, checkpoint, seed=inputs.settings["seed"], last_epoch=last_epoch, **settings)


def first_epoch(inputs: Inputs, model: str) -> Iterator[Measurement]:
    about, rows, trainer = inputs.settings["models"][model], inputs.rows(model), inputs.new_trainer(model)
    found = []
    with utilisation(inputs.device) as samples:
        taken = seconds(
            lambda: found.append(train(inputs, trainer, about, rows["train"], rows["valid"], 1)), inputs.device
        )
    entry, committed = found[0].history[0], about["first_epoch"]
    steps = math.ceil(len(rows["train"]) / about["training"]["batch_size"])
    yield Measurement(
        f"{model}: an epoch, validation included", taken, "s", note=f"{steps / taken:,.0f} steps a second"
    )
    for key in ("train_loss", "valid_loss"):
        apart = abs(entry[key] - committed[key])
        note = f"{entry[key]:.4f}, on the CPU {committed[key]:.4f}"
        right = apart <= LOSS_TOLERANCE
        yield Measurement(f"{model}: {key} apart from the CPU's", apart, "at most", f"{LOSS_TOLERANCE}", right, note)
    if samples:
        busy = float(np.mean(samples))
        aim = ("80 %", busy >= LEAST_UTILISATION) if about["input"] == "wordpieces" and not about["embedded"] else ()
        yield Measurement(f"{model}: share of time a kernel ran", busy, "", *aim)


def whole_training(inputs: Inputs, model: str) -> Iterator[Measurement]:
    """As `stages/train.py`: train until the validation loss rises, then on all rows but test, then score test."""
    about, rows = inputs.settings["models"][model], inputs.rows(model)
    start = time.perf_counter()
    trainer = inputs.new_trainer(model)
    progress = train(inputs, trainer, about, rows["train"], rows["valid"], None)
    if about["training"]["final_fit"]:
        trainer = inputs.new_trainer(model)
        known = functools.reduce(operator.add, [rows[split] for split in rows if split != "test"])
        train(inputs, trainer, about, known, None, progress.best_epoch)
    logits = predict(trainer.averaged, rows["test"], inputs.device)
    taken = time.perf_counter() - start
    accuracy = float((logits.argmax(dim=1).numpy() == rows["test"].labels).mean())
    low, high = min(about["accuracies"]), max(about["accuracies"])
    spread = max(high - low, 0.01)
    right = low - spread <= accuracy <= high + spread
    note = f"on the CPU {low:.4f} to {high:.4f}, seeds 1 to {len(about['accuracies'])}"
    yield Measurement(f"{model}: whole training", taken, "s", note=f"{len(progress.history)} epochs and the final fit")
    yield Measurement(f"{model}: accuracy on test", accuracy, "", "the CPU's, a spread of its seeds wider", right, note)


def first_epochs(inputs: Inputs) -> Iterator[Measurement]:
    for model in inputs.settings["models"]:
        yield from attempted(f"{model}: an epoch", partial(first_epoch, inputs, model))


def whole_trainings(inputs: Inputs) -> Iterator[Measurement]:
    for model in inputs.settings["models"]:
        yield from attempted(f"{model}: whole training", partial(whole_training, inputs, model))
