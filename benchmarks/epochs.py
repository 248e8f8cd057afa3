"""One training epoch of three models on SST-2, the whole loop, against notebook K's loop and loader."""

import importlib
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch

from benchmarks import data, notebook_k
from benchmarks.timing import Row, ratio
from stages.common import params
from stages.common.command import InputError
from stages.training.inputs import read_input
from stages.training.loop import seed_epoch
from stages.training.sequences import Sequences, training_batches
from stages.training.trainer import Trainer

ROWS = 3200  # the first of 59,860; a batch takes as long in a longer epoch
MODELS = {"average": 3, "lstm": 1, "bilstm": 1}  # measured pairs of epochs
OPTIMIZERS = {"torch's AdamW": torch.optim.AdamW, "its SGD": partial(torch.optim.SGD, lr=0.1)}
AIM = 1 / 3


def embedding_size() -> int:
    """Numbers in a word's vector; which they are at first makes no epoch longer."""
    return params.load()["domain_vectors"]["size"]


def our_epoch(model: str, rows: Sequences, vocabulary_size: int, batch_size: int) -> Callable[[], float]:
    """What `fit` does in every epoch, except for scoring valid and saving a checkpoint."""
    described = params.section("models", model)
    classifier = importlib.import_module(f"stages.models.{model}").Classifier
    module = classifier(vocabulary_size, 2, embedding_size=embedding_size(), **described["architecture"])
    trainer = Trainer(module, torch.device("cpu"), **described["optimization"])

    def run() -> float:
        batches = list(training_batches(rows.lengths, batch_size, seed_epoch(1, 1)))
        return trainer.train_epoch(rows, batches, len(batches), model)

    return run


def notebook_epoch(
    model: str, rows: Sequences, vocabulary_size: int, batch_size: int, optimizer: Callable
) -> Callable[[], None]:
    """An epoch of notebook K's loop with our sizes; its lists of ids are made beforehand."""
    hidden_size = params.section("models", model)["architecture"]["hidden_size"]
    network = notebook_k.network(model, vocabulary_size, embedding_size(), hidden_size)
    stepper = optimizer(network.parameters())
    ids = [row.tolist() for row in np.split(rows.tokens, rows.offsets[1:-1])]
    return lambda: notebook_k.train_epoch(network, stepper, ids, rows.labels.tolist(), batch_size)


def rows() -> Iterator[Row]:
    """A comparison with the same kind of optimizer, and one with notebook K's, which does less at every step."""
    names = {model: f"{model}, one epoch on {ROWS:,} rows of SST-2" for model in MODELS}
    others = {name: f"notebook K, {name}" for name in OPTIMIZERS}
    try:
        folder = data.sst2_ids()
    except InputError as error:
        for model in MODELS:
            for other in others.values():
                yield Row(names[model], other, None, AIM, str(error))
        return
    train = Sequences.read(folder / "train.parquet").part(0, ROWS)
    sizes = (
        read_input(folder)["arguments"]["vocabulary_size"],
        params.section("corpora", "sst2")["training"]["batch_size"],
    )
    for model, pairs in MODELS.items():
        for name, optimizer in OPTIMIZERS.items():
            ours, theirs = our_epoch(model, train, *sizes), notebook_epoch(model, train, *sizes, optimizer)
            yield Row(names[model], others[name], ratio(ours, theirs, pairs), AIM)
