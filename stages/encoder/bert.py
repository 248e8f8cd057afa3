"""A pretrained BERT (https://arxiv.org/abs/1810.04805) and what it makes of wordpieces while it stays frozen."""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from tqdm import tqdm
from transformers import BertConfig, BertModel
from transformers.utils import logging

from stages.common.command import InputError
from stages.training.padding import is_word
from stages.training.sequences import Sequences, evaluation_batches
from stages.training.transfer import made_ahead, moved, pinned

logging.set_verbosity_error()
logging.disable_progress_bar()

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}


def new_encoder(config: dict) -> BertModel:
    """A BERT of some shape with random weights, without the pooler, whose output nothing here reads."""
    return BertModel(BertConfig(**config), add_pooling_layer=False)


def with_weights(config: BertConfig, weights: dict[str, torch.Tensor]) -> BertModel:
    """An encoder of some shape with the given weights, under the names that any of BERT's checkpoints gives them.

    Raises:
        InputError: a weight is missing or has another shape.
    """
    loaded, found = BertModel.from_pretrained(
        None,
        config=config,
        state_dict=weights,
        add_pooling_layer=False,
        dtype=torch.float32,  # whatever config.json says
        ignore_mismatched_sizes=True,
        output_loading_info=True,
    )
    if faulty := sorted(found["missing_keys"]) + sorted(name for name, *_ in found["mismatched_keys"]):
        raise InputError(f"the encoder's weights do not fit its config.json: {faulty[0]}; fetch the encoder again")
    return loaded


def attention_mask(is_token: torch.Tensor) -> torch.Tensor:
    """What an encoder is given of (B, T) booleans, false on padding.

    On a GPU in the form that attention itself takes: of the other one the library asks the GPU, at every step, whether
    it is true everywhere, and the CPU waits for the answer.
    """
    return is_token[:, None, None] if is_token.is_cuda else is_token.long()


class FrozenEncoder:
    """An encoder in evaluation mode that turns wordpiece ids into features, some of its hidden states.

    Hidden state 0 is the embeddings', state n the output of layer n. With the mix `mean` a token's features
    are the mean of the chosen states, (E,), with `learned` the states side by side, (states·E,), for a model
    that learns how to weight them (https://arxiv.org/abs/1802.05365).
    """

    def __init__(self, folder: Path, *, layers: list[int], mix: str, precision: str, device: torch.device):
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        if max(layers) > config["num_hidden_layers"]:
            raise InputError(
                f"params.yaml: the encoder's layers name {max(layers)}; "
                f"it has hidden states 0 to {config['num_hidden_layers']}"
            )
        encoder = with_weights(BertConfig(**config), load_file(folder / "model.safetensors"))
        self.encoder = encoder.to(device, PRECISIONS[precision]).eval()
        self.layers, self.mix, self.device = layers, mix, device
        self.states = len(layers) if mix == "learned" else 1
        self.feature_size = config["hidden_size"]

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
        mask = attention_mask(is_word(lengths, ids.size(1)))
        hidden = self.encoder(ids, attention_mask=mask, output_hidden_states=True).hidden_states
        return self.mixed([hidden[layer].flatten(0, 1)[in_batch].float() for layer in self.layers]).half()

    def mixed(self, states: list[torch.Tensor]) -> torch.Tensor:
        """Several states of the same tokens, each (tokens, E) → (tokens, states·E)."""
        return torch.cat(states, dim=1) if self.mix == "learned" else torch.stack(states).mean(dim=0)
