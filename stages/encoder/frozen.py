"""What a frozen encoder makes of wordpieces: features, some of its hidden states or its word embeddings."""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from tqdm import tqdm

from stages.common.command import InputError
from stages.encoder.pretrained import PRECISIONS, encode, read_config, with_weights
from stages.training.accelerator.transfer import made_ahead, moved, pinned
from stages.training.sequences import Sequences, evaluation_batches

WORDS = "word_embeddings"


class FrozenEncoder:
    """An encoder in evaluation mode that turns wordpiece ids into features, some of its hidden states.

    Hidden state 0 is the embeddings', state n the output of layer n. With the mix `mean` a token's features
    are the mean of the chosen states, (E,), with `learned` the states side by side, (states·E,), for a model
    that learns how to weight them (https://arxiv.org/abs/1802.05365).

    With `word_embeddings` for layers they are the rows of the encoder's table of pieces, which know nothing of the
    text around: hidden state 0 is these plus, in BERT, those of positions and types, normalized.
    """

    def __init__(self, folder: Path, *, layers: list[int] | str, mix: str, precision: str, device: torch.device):
        config = read_config(json.loads((folder / "config.json").read_text(encoding="utf-8")))
        check_layers(layers, config.num_hidden_layers)
        encoder = with_weights(config, load_file(folder / "model.safetensors"))
        self.encoder = encoder.to(device, PRECISIONS[precision]).eval()
        self.layers, self.mix, self.device = layers, mix, device
        self.states = len(layers) if mix == "learned" and layers != WORDS else 1
        words = self.encoder.get_input_embeddings()
        self.feature_size = words.embedding_dim if layers == WORDS else config.hidden_size

    @torch.inference_mode()
    def write(self, rows: Sequences, out: np.ndarray, progress: tqdm) -> None:
        """Features of all tokens of some rows, into `out`, (tokens, states·E) float16."""
        target = torch.from_numpy(out)

        def prepare(batch: np.ndarray) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
            is_token, positions = rows.positions(batch)
            ids, lengths, _ = rows.padded(batch)
            in_batch = torch.from_numpy(np.flatnonzero(is_token))
            return torch.from_numpy(positions), pinned((ids, lengths, in_batch), self.device)

        @torch.inference_mode()  # of each thread its own
        def keep(computed: tuple[torch.Tensor, torch.Tensor]) -> int:
            positions, features = computed
            target.index_copy_(0, positions, features.cpu())
            return len(positions)

        prepared = made_ahead(prepare, evaluation_batches(rows.lengths, self.device), self.device)
        computed = ((positions, self.features(*moved(tensors, self.device))) for positions, tensors in prepared)
        for tokens in made_ahead(keep, computed, self.device):
            progress.update(tokens)

    def features(self, ids: torch.Tensor, lengths: torch.Tensor, in_batch: torch.Tensor) -> torch.Tensor:
        """ids (B, T), lengths (B,) and where in the flat batch its tokens are → their features, (tokens, states·E)."""
        if self.layers == WORDS:
            return self.encoder.get_input_embeddings()(ids).flatten(0, 1)[in_batch].half()  # (B, T) → (tokens, E)
        hidden = encode(self.encoder, ids, lengths, output_hidden_states=True).hidden_states  # each (B, T, E)
        return self.mixed([hidden[layer].flatten(0, 1)[in_batch].float() for layer in self.layers]).half()

    def mixed(self, states: list[torch.Tensor]) -> torch.Tensor:
        """Several states of the same tokens, each (tokens, E) → (tokens, states·E)."""
        return torch.cat(states, dim=1) if self.mix == "learned" else torch.stack(states).mean(dim=0)


def check_layers(layers: list[int] | str, highest: int) -> None:
    """
    Raises:
        InputError: a hidden state is named that the encoder does not have.
    """
    if layers != WORDS and max(layers) > highest:
        raise InputError(f"params.yaml: the encoder's layers name {max(layers)}; it has hidden states 0 to {highest}")
