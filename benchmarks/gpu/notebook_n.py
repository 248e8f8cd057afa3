"""Notebook N's half hour: a BERT of bert-base's shape over all of IMDB once, then two epochs of its BiGRU.

The weights are random, which takes as long as trained ones. Notebook N reports 29.5 minutes on a Colab GPU, without
the test reviews; it encodes every review again in each epoch.
"""

import functools
import json
import operator
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from benchmarks.gpu.card import product_peak
from benchmarks.gpu.measurement import Measurement, seconds
from benchmarks.gpu.trainings import CLASSES, Inputs, embedded
from stages.encoder.frozen import FrozenEncoder
from stages.encoder.pretrained import new_encoder, read_config
from stages.models import notebook_bigru
from stages.training import sequences
from stages.training.checkpoints import Checkpoint
from stages.training.loop import fit
from stages.training.sequences import Sequences
from stages.training.trainer import Trainer

ALL = 60.0  # seconds for all of it on an H100
LEAST_OF_PEAK = 0.5
BATCHES = {"cuda": (8192, 32_768, 131_072), "cpu": (8192,)}  # tokens; the fastest is used


def random_encoder(folder: Path, shape: dict) -> Path:
    """Write an encoder with random weights as download_encoder would; an empty shape is that of bert-base."""
    torch.manual_seed(1)
    encoder = new_encoder(read_config({"model_type": "bert"} | shape))
    (folder / "config.json").write_text(json.dumps(encoder.config.to_dict()), encoding="utf-8")
    save_file(encoder.state_dict(), folder / "model.safetensors")
    return folder


def operations(rows: Sequences, encoder: FrozenEncoder) -> float:
    """Floating-point operations for the rows without padding: the products of layers and of attention."""
    config = encoder.encoder.config
    weights = config.num_hidden_layers * config.hidden_size * (4 * config.hidden_size + 2 * config.intermediate_size)
    attention = config.num_hidden_layers * 2 * config.hidden_size
    lengths = rows.lengths.astype(float)
    return float(2 * (weights * lengths.sum() + attention * (lengths**2).sum()))


def with_32_bits(rows: Sequences) -> Sequences:
    return replace(rows, tokens=rows.tokens.astype(np.int32))


def measure(inputs: Inputs) -> Iterator[Measurement]:
    device, about = inputs.device, inputs.settings["notebook_n"]
    rows = {split: with_32_bits(found) for split, found in inputs.splits("imdb").items()}
    with tempfile.TemporaryDirectory() as folder:
        shape = about.get("shape", {})
        random = random_encoder(Path(folder), shape)
        layer = shape.get("num_hidden_layers", 12)
        encoder = FrozenEncoder(random, layers=[layer], mix="mean", precision="bf16", device=device)
    some = rows["valid"].part(0, min(2000, len(rows["valid"])))
    for tokens in BATCHES[device.type]:
        sequences.EVALUATION_TOKENS[device.type] = tokens
        embedded(encoder, some.part(0, min(200, len(some))))  # warms up
        taken = seconds(lambda: embedded(encoder, some), device)
        share = operations(some, encoder) / taken / product_peak(device, torch.bfloat16)
        what = f"encoder, batches of {tokens:,} tokens: share of the bf16 peak"
        yield Measurement(what, share, "", "0.5", share >= LEAST_OF_PEAK, f"{len(some.tokens) / taken:,.0f} tokens/s")
    found = {}

    def embed() -> None:
        for split in rows:
            found[split] = replace(rows[split], tokens=embedded(encoder, rows[split]))

    embedding = seconds(embed, device)
    everything = functools.reduce(operator.add, list(rows.values()))
    share = operations(everything, encoder) / embedding / product_peak(device, torch.bfloat16)
    note = f"{share:.0%} of the bf16 peak, copies to the CPU included"
    yield Measurement("features of all of IMDB", embedding, "s", note=note)
    module = notebook_bigru.Classifier(encoder.feature_size, 1, CLASSES, **about["architecture"])
    trainer = Trainer(module, device, **about["optimization"])
    settings = {name: about["training"][name] for name in ("batch_size", "epochs", "patience")}

    def train() -> None:
        with tempfile.TemporaryDirectory() as folder:
            fit(trainer, found["train"], found["valid"], Checkpoint(Path(folder), "n"), seed=1, **settings)

    training = seconds(train, device)
    yield Measurement(f"{settings['epochs']} epochs of its BiGRU", training, "s")
    total = embedding + training
    yield Measurement("notebook N's half hour, and the test reviews", total, "s", f"{ALL}", total <= ALL)
