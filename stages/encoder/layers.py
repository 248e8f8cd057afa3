"""The layers of an encoder of any kind: which are trained, and whether their states are kept for the backward pass."""

import re
from functools import partial

from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel

from stages.common.command import InputError

LAYER = re.compile(r"(^|\.)layers?\.\d+$")  # the name of a layer's module
NUMBERED = re.compile(r"(^|\.)layers?\.(\d+)\.")  # and of a parameter in it


def layer_of(name: str) -> int | None:
    """The number, from 1 up, of the layer that an encoder's parameter belongs to alone."""
    found = NUMBERED.search(name)
    return int(found[2]) + 1 if found else None


def depths(encoder: PreTrainedModel) -> dict[str, int]:
    """The number of each parameter's layer; 0 is the embeddings.

    What layers share, such as ALBERT's weights, is as deep as the last one.
    """
    last, found = encoder.config.num_hidden_layers, {}
    for name, _ in encoder.named_parameters():
        found[name] = layer_of(name) or (0 if name.startswith("embeddings") else last)
    return found


def freeze(encoder: PreTrainedModel, frozen_layers: int) -> None:
    """Keep the weights of the embeddings and of some layers above them as they are.

    Raises:
        InputError: the encoder has fewer layers of its own.
    """
    layers = len({layer_of(name) for name, _ in encoder.named_parameters()} - {None})
    if frozen_layers > layers:
        raise InputError(
            f"params.yaml: frozen_layers is {frozen_layers}, but the encoder has {layers} layers with weights "
            "of their own; freeze fewer"
        )
    depth_of = depths(encoder)
    for name, parameter in encoder.named_parameters():
        parameter.requires_grad = depth_of[name] > frozen_layers


def compute_states_again(encoder: PreTrainedModel) -> None:
    """Keep no states inside the layers for the backward pass, but compute them a second time.

    https://arxiv.org/abs/1604.06174; MPNet has no switch of its own for it.

    Raises:
        InputError: the encoder's layers are one and the same module.
    """
    layers = [module for name, module in encoder.named_modules() if LAYER.search(name)]
    if not layers:
        raise InputError("params.yaml: the encoder has no layers for gradient_checkpointing; set it to false")
    for layer in layers:
        layer.forward = partial(checkpoint, layer.forward, use_reentrant=False)
