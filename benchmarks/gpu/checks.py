"""Checks on a GPU: same seed same bytes, no effect of padding, features as in fp32, killed trainings, little memory."""

import hashlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save

from benchmarks.gpu.measurement import Measurement, attempted
from benchmarks.gpu.trainings import Inputs, embedded, first_rows
from stages.training.checkpoints import Checkpoint
from stages.training.loop import fit
from stages.training.trainer import Trainer

ROWS = 3200  # of SST-2, for each check
KILLED = "lstm"
TOLERANCE = 1e-4  # of a logit, between two batches that differ only in padding
LEAST_COSINE = 0.999


def train(inputs: Inputs, model: str, folder: Path, epochs: int) -> Trainer:
    rows = inputs.rows(model)
    trainer = inputs.new_trainer(model)
    settings = inputs.settings["models"][model]["training"]
    fit(
        trainer,
        first_rows(rows["train"], ROWS),
        first_rows(rows["valid"], 100),
        Checkpoint(folder, "check"),
        seed=inputs.settings["seed"],
        batch_size=settings["batch_size"],
        epochs=epochs,
        patience=epochs,
    )
    return trainer


def digest(trainer: Trainer) -> str:
    """A hash of the weights, their average and the optimizer's state."""
    tensors = {name: tensor.cpu().contiguous().clone() for name, tensor in trainer.state().items()}
    return hashlib.sha256(save(tensors)).hexdigest()


def repeats(inputs: Inputs, model: str) -> Measurement:
    found = set()
    for _ in range(2):
        with tempfile.TemporaryDirectory() as folder:
            found.add(digest(train(inputs, model, Path(folder), epochs=1)))
    return Measurement(f"{model}: the same bytes twice", 3 - len(found), "of 2 runs alike", "2", len(found) == 1)


@torch.inference_mode()
def padding(inputs: Inputs, model: str) -> Measurement:
    """The largest change of a logit when a much longer row joins the batch."""
    module, rows = inputs.new_trainer(model).model.eval(), inputs.rows(model)["valid"]
    by_length = np.argsort(rows.lengths, kind="stable")
    short = by_length[: min(32, len(rows) // 2)]
    tokens, lengths, _ = rows.batch(short, inputs.device)
    more, more_lengths, _ = rows.batch(np.append(short, by_length[-1]), inputs.device)
    change = float((module(tokens, lengths) - module(more, more_lengths)[: len(short)]).abs().max())
    return Measurement(f"{model}: padding moves a logit by", change, "at most", f"{TOLERANCE}", change <= TOLERANCE)


def cosine(inputs: Inputs) -> Measurement:
    rows = first_rows(inputs.splits("wordpieces")["valid"], 200)
    some, exact = (torch.from_numpy(embedded(inputs.frozen_encoder(name), rows)).float() for name in ("bf16", "fp32"))
    lowest = float(torch.cosine_similarity(some, exact).min())
    return Measurement(
        "features: lowest cosine of bf16 with fp32", lowest, "", f"{LEAST_COSINE}", lowest >= LEAST_COSINE
    )


def resumed(inputs: Inputs) -> Measurement:
    """A training of two epochs that is killed after its first and resumed, against one that is not killed."""
    command = [sys.executable, "-m", "benchmarks.gpu.checks", str(inputs.folder), str(inputs.device)]
    with tempfile.TemporaryDirectory() as left_alone, tempfile.TemporaryDirectory() as killed:
        process = subprocess.Popen([*command, killed], stdout=subprocess.PIPE, text=True)
        while process.poll() is None and not list(Path(killed).glob("check.safetensors")):
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        died = process.wait() == -signal.SIGKILL
        said = [subprocess.run([*command, folder], capture_output=True, text=True) for folder in (killed, left_alone)]
    again = "resumed after epoch 1" in said[0].stdout
    ends = [run.stdout.strip().splitlines()[-1:] for run in said]
    right = died and again and ends[0] == ends[1] != []
    note = f"killed: {died}, resumed: {again}"
    return Measurement(f"{KILLED}: killed and resumed, the same bytes", int(right), "", "1", right, note)


def split_batches(inputs: Inputs) -> Measurement:
    """The gradients of a batch that does not fit into memory, against those of the whole batch."""
    model, device = "rnn", inputs.device
    inputs.settings["models"][model]["architecture"]["word_dropout"] = 0  # masks would differ between the parts
    rows, trainer = inputs.rows(model)["train"], inputs.new_trainer(model)
    batch = rows.padded(np.argsort(-rows.lengths, kind="stable")[:4096])
    trainer.model.train()
    trainer.graphs = None  # as if there had not been enough memory to record one

    def gradients() -> list[torch.Tensor]:
        trainer.gradients(*batch)
        return [parameter.grad.clone() for parameter in trainer.trained]

    gradients()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    whole, held = gradients(), torch.cuda.memory_allocated()
    allowed = held + 0.6 * (torch.cuda.max_memory_allocated() - held)
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(allowed / torch.cuda.get_device_properties(device).total_memory)
    try:
        parts = gradients()
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    apart = max(float((one - other).norm() / other.norm()) for one, other in zip(parts, whole, strict=True))
    right = trainer.parts > 1 and apart < 1e-4
    note = f"in {trainer.parts} parts"
    return Measurement(f"{model}: gradients of a split batch, distance", apart, "of their norm", "1e-4", right, note)


def measure(inputs: Inputs) -> Iterator[Measurement]:
    models = list(inputs.settings["models"])
    checks = [partial(check, inputs, model) for check in (padding, repeats) for model in models]
    checks += [partial(check, inputs) for check in (cosine, resumed)]
    if inputs.device.type == "cuda":
        checks.append(partial(split_batches, inputs))
    for check in checks:
        name = " ".join([check.func.__name__, *check.args[1:]])
        yield from attempted(name, lambda check=check: [check()])


if __name__ == "__main__":
    packed, on, checkpoints = sys.argv[1:]
    from stages.training.accelerator.devices import choose_device

    choose_device()
    print(digest(train(Inputs(Path(packed), torch.device(on)), KILLED, Path(checkpoints), epochs=2)))
