"""How deep an encoder's parameters are, from the embeddings up, and which of them are trained."""

import re

from transformers import PreTrainedModel

from stages.common.command import InputError

NUMBERED = re.compile(r"(^|\.)layers?\.(\d+)\.")  # a parameter of one layer, among those of any kind of encoder


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
