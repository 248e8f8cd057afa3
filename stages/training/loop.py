"""The training loop, one for every model: seeded, stopped early, resumable by the epoch."""

import copy
import math
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F

from stages.common.command import InputError
from stages.training.checkpoints import Checkpoint
from stages.training.inference import predict
from stages.training.sequences import Sequences, training_batches
from stages.training.trainer import Trainer
from stages.training.validation import quality, scores_for_choice

SETTINGS = ("batch_size", "epochs", "patience", "choose_by")  # of a corpus's training, for `fit`


@dataclass
class Progress:
    """How far a training has come."""

    epoch: int = 0  # epochs finished
    best_epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)  # one entry an epoch


def seed_epoch(seed: int, epoch: int) -> np.random.Generator:
    """Seed torch for an epoch and return the generator of its batches.

    An epoch's randomness follows from its number alone, so a resumed training needs no random state.
    """
    torch.manual_seed(int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0]))
    return np.random.default_rng([seed, epoch])


def fit(
    trainer: Trainer,
    train: Sequences,
    valid: Sequences | None,
    checkpoint: Checkpoint,
    *,
    seed: int,
    batch_size: int,
    epochs: int,
    patience: int,
    choose_by: str = "loss",
    last_epoch: int | None = None,
) -> Progress:
    """Train until `epochs` are done or `patience` epochs have not been better than the best one before them.

    The trainer ends with the averaged weights of the epoch that is best on valid by `choose_by`, as `quality` has it,
    or, without validation rows, of the last epoch. A killed training goes on from its last checkpoint and ends in the
    same bytes. With `last_epoch` it stops there, though its learning rate is on the way to `epochs`.

    Raises:
        InputError: the loss is no longer a number.
    """
    progress = Progress()
    if saved := checkpoint.load():
        state, entries = saved
        progress = Progress(**entries)
        trainer.restore(state, steps=progress.epoch * math.ceil(len(train) / batch_size))
        print(f"resumed after epoch {progress.epoch}", flush=True)
    all_steps = epochs * math.ceil(len(train) / batch_size)
    while progress.epoch < (last_epoch or epochs) and progress.epoch - progress.best_epoch < patience:
        progress.epoch += 1
        batches = list(training_batches(train.lengths, batch_size, seed_epoch(seed, progress.epoch)))
        entry = {"epoch": progress.epoch}
        entry["train_loss"] = trainer.train_epoch(train, batches, all_steps, f"epoch {progress.epoch}")
        if not math.isfinite(entry["train_loss"]):
            raise InputError(f"the loss left all bounds in epoch {progress.epoch}; lower the model's learning_rate")
        if valid is not None:
            entry |= validate(trainer, valid, choose_by)
        progress.history.append(entry)
        if valid is None or quality(entry, choose_by) == max(quality(past, choose_by) for past in progress.history):
            progress.best_epoch = progress.epoch
            trainer.best = copy.deepcopy(trainer.averaged.state_dict())
        print("  ".join(f"{name} {value:.4g}" for name, value in entry.items()), flush=True)
        checkpoint.save(trainer.state(), vars(progress))
    trainer.averaged.load_state_dict(trainer.best)
    return progress


def validate(trainer: Trainer, valid: Sequences, choose_by: str) -> dict[str, float]:
    """The averaged model's scores, in which every row counts the same whatever the weights of classes."""
    logits, labels = predict(trainer.averaged, valid, trainer.device), torch.tensor(valid.labels)
    predicted = logits.argmax(dim=1)
    found = {"valid_loss": F.cross_entropy(logits, labels).item()}
    found["valid_accuracy"] = (predicted == labels).double().mean().item()
    return found | scores_for_choice(valid.labels, predicted.numpy(), choose_by)
