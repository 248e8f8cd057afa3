"""SST-2's models, built as `stages/train.py` builds them, from what `benchmarks.gpu.inputs` packed."""

import importlib
import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from tqdm import tqdm

from stages.encoder.frozen import FrozenEncoder
from stages.training.inputs import read_input
from stages.training.sequences import Sequences, read_splits
from stages.training.trainer import Trainer

CLASSES = 2


@dataclass
class Inputs:
    """The packed folder, and what is computed from it once: the encoder's folder and SST-2's features."""

    folder: Path
    device: torch.device

    @cached_property
    def settings(self) -> dict:
        return json.loads((self.folder / "settings.json").read_text(encoding="utf-8"))

    @cached_property
    def encoder(self) -> Path:
        """The encoder's folder with its weights in one file again."""
        folder = self.folder / "encoder"
        halves = [path.read_bytes() for path in sorted(folder.glob("model.safetensors.?"))]
        (folder / "model.safetensors").write_bytes(b"".join(halves))
        return folder

    def frozen_encoder(self, precision: str) -> FrozenEncoder:
        return FrozenEncoder(self.encoder, **self.settings["encoder"], precision=precision, device=self.device)

    @cached_property
    def features(self) -> dict[str, Sequences]:
        """Every split's hidden states, (tokens, E) float16, in memory."""
        encoder, rows = self.frozen_encoder(self.settings["precision"]), self.splits("wordpieces")
        return {split: replace(rows[split], tokens=embedded(encoder, rows[split])) for split in rows}

    def splits(self, name: str) -> dict[str, Sequences]:
        return read_splits(self.folder / name)

    def rows(self, model: str) -> dict[str, Sequences]:
        about = self.settings["models"][model]
        return self.features if about["embedded"] else self.splits(about["input"])

    def new_trainer(self, model: str, device: torch.device | None = None) -> Trainer:
        """A trainer of the model, whose initial weights are drawn on the CPU and so the same on every device."""
        about = self.settings["models"][model]
        sizes = read_input(self.folder / about["input"])["arguments"]
        if about["embedded"]:
            sizes = {"feature_size": sizes["config"]["hidden_size"], "states": 1}
        torch.manual_seed(self.settings["seed"])
        classifier = importlib.import_module(f"stages.models.{about['module']}").Classifier
        module = classifier(**sizes, classes=CLASSES, **about["architecture"])
        if about["input"] in ("domain_vectors", "vectors"):
            module.load_pretrained(load_file(self.folder / about["input"] / "vectors.safetensors"))
        if about["input"] == "wordpieces" and not about["embedded"]:
            module.load_pretrained(load_file(self.encoder / "model.safetensors"))
        return Trainer(module, device or self.device, **about["optimization"])


def embedded(encoder: FrozenEncoder, rows: Sequences) -> np.ndarray:
    """The rows' hidden states, (tokens, E) float16."""
    features = np.empty((len(rows.tokens), encoder.states * encoder.feature_size), dtype=np.float16)
    encoder.write(rows, features, tqdm(disable=True))
    return features


def first_rows(rows: Sequences, number: int) -> Sequences:
    return rows.part(0, min(number, len(rows)))
