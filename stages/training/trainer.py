"""A model with everything that changes while it is trained, and one pass over the training rows."""

import copy

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn
from tqdm import tqdm

from stages.common.command import InputError
from stages.training.accelerator.step_graphs import StepGraphs
from stages.training.accelerator.transfer import made_ahead, moved, pinned
from stages.training.sequences import LENGTH_STEP, Sequences


class Trainer:
    """A model with everything that changes while it is trained."""

    def __init__(
        self,
        model: nn.Module,
        device: torch.device,
        *,
        learning_rate: float,
        weight_decay: float,
        clip_norm: float | None,
        average_decay: float,
        label_smoothing: float,
        warmup: float | None = None,
        layer_decay: float | None = None,
        class_weights: np.ndarray | None = None,
    ):
        self.device = device
        self.model = model.to(device)
        # The model that is kept is a moving average of the weights: https://arxiv.org/abs/1803.05407
        self.averaged = copy.deepcopy(self.model)
        self.best = copy.deepcopy(self.averaged.state_dict())
        self.trained = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        groups = [{"params": self.trained, "factor": 1.0}]
        if layer_decay is not None:
            if not hasattr(model, "parameter_groups"):
                raise InputError("params.yaml: layer_decay is for models that train an encoder; leave it out elsewhere")
            groups = model.parameter_groups(layer_decay)
        self.optimizer = torch.optim.AdamW(groups, lr=learning_rate, weight_decay=weight_decay, fused=True)
        self.learning_rate = learning_rate
        self.warmup = warmup
        self.clip_norm = clip_norm
        self.average_decay = average_decay
        self.label_smoothing = label_smoothing
        self.class_weights = None if class_weights is None else torch.tensor(class_weights).float().to(device)  # (C,)
        self.steps = 0
        self.parts = 1  # of a batch, one after the other
        self.graphs = StepGraphs(self.add_gradients, self.trained) if device.type == "cuda" else None

    def train_epoch(self, rows: Sequences, batches: list[np.ndarray], all_steps: int, description: str) -> float:
        """One pass over the batches, of `all_steps` of the whole training; the mean loss over all rows, as weighted."""
        self.model.train()
        step, losses = LENGTH_STEP.get(self.device.type, 1), []
        ahead = made_ahead(lambda batch: pinned(rows.padded(batch, step), self.device), batches, self.device)
        for tensors in tqdm(ahead, desc=description, total=len(batches), leave=False, disable=None):
            losses.append(self.gradients(*tensors))
            if self.clip_norm is not None:
                nn.utils.clip_grad_norm_(self.trained, self.clip_norm)
            for group in self.optimizer.param_groups:
                group["lr"] = self.learning_rate * group["factor"] * self.learning_rate_schedule(self.steps / all_steps)
            self.optimizer.step()
            self.steps += 1
            self.update_average()
        total = 0.0
        for loss, batch in zip(torch.stack(losses).tolist(), batches, strict=True):  # the one wait for the device
            total += loss * len(batch)
        return total / len(rows)

    def gradients(self, tokens: torch.Tensor, lengths: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The mean loss of a batch, and its gradients; on CUDA as one graph, where it can be recorded.

        Raises:
            InputError: as `gradients_in_parts`.
        """
        if self.graphs:
            try:
                return self.graphs(tokens, lengths, labels)
            except RuntimeError as error:  # memory that is too small is one, too
                self.graphs = None
                torch.cuda.empty_cache()
                reason = str(error).splitlines()[0]
                print(f"steps are not recorded as CUDA graphs, which would be faster ({reason})", flush=True)
        return self.gradients_in_parts(tokens, lengths, labels)

    def gradients_in_parts(self, tokens: torch.Tensor, lengths: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The same, in as many parts as the accelerator's memory asks for.

        Raises:
            InputError: not even one row fits.
        """
        while True:
            try:
                self.optimizer.zero_grad()
                parts = zip(*(tensor.tensor_split(self.parts) for tensor in (tokens, lengths, labels)), strict=True)
                return sum(self.add_gradients(*part, len(part[0]) / len(labels)) for part in parts if len(part[0]))
            except torch.OutOfMemoryError:
                if self.parts >= len(labels):
                    raise InputError(f"{self.device} has too little memory for one row; set DEVICE=cpu") from None
                self.parts *= 2
                print(f"{self.device} is out of memory; a batch now comes in {self.parts} parts", flush=True)

    def add_gradients(
        self, tokens: torch.Tensor, lengths: torch.Tensor, labels: torch.Tensor, share: float = 1.0
    ) -> torch.Tensor:
        tokens, lengths, labels = moved((tokens, lengths, labels), self.device)
        loss = self.loss(self.model(tokens, lengths), labels) * share
        loss.backward()
        return loss.detach()

    def loss(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The mean over a batch of its rows' losses, each times its class's weight; logits: (B, C).

        labels: class numbers, (B,), or probabilities of the classes, (B, C), of which a weight is the mean.

        torch's own weights divide by the batch's sum of weights, so that a row would count by what is beside it.
        """
        if self.class_weights is None:
            return F.cross_entropy(logits, labels, label_smoothing=self.label_smoothing)
        losses = F.cross_entropy(logits, labels, label_smoothing=self.label_smoothing, reduction="none")  # (B,)
        weights = self.class_weights[labels] if labels.ndim == 1 else labels @ self.class_weights  # (B,)
        return (losses * weights).mean()

    def learning_rate_schedule(self, share: float) -> float:
        """The learning rate's factor once a share of all steps is done: 1, or up and down in two straight lines."""
        if self.warmup is None:
            return 1.0
        return min((share + 1e-9) / self.warmup, (1 - share) / (1 - self.warmup)) if self.warmup else 1 - share

    @torch.no_grad()
    def update_average(self) -> None:
        """Move the average towards the weights; early on by more, so that it forgets how training began."""
        decay = min(self.average_decay, (1 + self.steps) / (10 + self.steps))
        move_average = get_ema_multi_avg_fn(decay)  # of all tensors in one go, where the device can
        move_average(list(self.averaged.parameters()), list(self.model.parameters()), None)

    def state(self) -> dict[str, torch.Tensor]:
        """Every tensor a resumed training needs, under one flat set of names."""
        parts = {"model": self.model.state_dict(), "averaged": self.averaged.state_dict(), "best": self.best}
        parts |= {f"optimizer.{index}": state for index, state in self.optimizer.state_dict()["state"].items()}
        return {f"{part}/{name}": tensor for part, tensors in parts.items() for name, tensor in tensors.items()}

    def restore(self, state: dict[str, torch.Tensor], steps: int) -> None:
        parts: dict[str, dict[str, torch.Tensor]] = {}
        for key, tensor in state.items():
            part, name = key.split("/")
            parts.setdefault(part, {})[name] = tensor
        self.model.load_state_dict(parts["model"])
        self.averaged.load_state_dict(parts["averaged"])
        self.best = parts["best"]
        optimizer = self.optimizer.state_dict()
        optimizer["state"] = {index: parts[f"optimizer.{index}"] for index, _ in enumerate(self.trained)}
        self.optimizer.load_state_dict(optimizer)
        self.steps = steps
