"""A downloaded encoder tried out: built, given its weights, and run on a few pieces."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

from stages.common.command import InputError
from stages.encoder.encoder_files import count_weights, in_short, read_content
from stages.encoder.frozen import check_layers
from stages.encoder.pretrained import encode, longest_input, new_encoder, read_config, with_weights
from stages.encoder.tokenizer_file import check_tokenizer

SIZES = ("vocab_size", "max_position_embeddings", "num_hidden_layers", "hidden_size")
TOLERANCE = 1e-3  # of the largest number: rounding differs with the length of a batch


def check_encoder(folder: Path, name: str, *, max_length: int, layers: list[int] | str) -> None:
    """Refuse what is not a text encoder, or whose parts do not belong together.

    Raises:
        InputError: a file is damaged, of another kind of model, or does not fit the others, `max_length` or `layers`.
    """
    config = config_of(folder, name)
    tensors, numbers = count_weights(folder / "model.safetensors", name)
    if config.num_hidden_layers > tensors:  # every layer has several, and building a billion takes forever
        raise InputError(
            f"encoders.{name}: config.json says {config.num_hidden_layers} layers, "
            f"model.safetensors holds {tensors} tensors; fetch them again"
        )
    with said_of(name), torch.device("meta"):  # where sizes that are a lie take no memory
        needed = sum(parameter.numel() for parameter in new_encoder(config).parameters())
    if needed > numbers:
        raise InputError(
            f"encoders.{name}: config.json asks for {needed:,} numbers, model.safetensors holds {numbers:,}; "
            "fetch them again"
        )
    check_layers(layers, config.num_hidden_layers)
    check_tokenizer(folder / "tokenizer.json", max_length, config.vocab_size)
    try:
        encoder = with_weights(config, load_file(folder / "model.safetensors")).eval()
    except InputError as error:
        raise InputError(f"encoders.{name}: {error}") from None
    if broken := next((key for key, value in encoder.named_parameters() if not value.isfinite().all()), None):
        raise InputError(f"encoders.{name}: {broken} holds what is not a number; fetch the encoder again")
    if max_length > longest_input(encoder):
        raise InputError(
            f"params.yaml: encoders.{name}.max_length is {max_length}; "
            f"the encoder reads {longest_input(encoder)} pieces"
        )
    with said_of(name):
        try_out(encoder, name, max_length)


def config_of(folder: Path, name: str) -> PreTrainedConfig:
    content = read_content(folder / "config.json", name)
    kind = content["model_type"]
    if kind not in MODEL_FOR_MASKED_LM_MAPPING_NAMES:
        raise InputError(
            f"encoders.{name} is of the kind {kind!r}, which is not a text encoder that transformers has; "
            "name another, such as a BERT or a RoBERTa"
        )
    positions = content.get("position_embedding_type")
    if positions not in (None, "absolute") and kind != "esm":
        raise InputError(
            f"encoders.{name}: config.json says position_embedding_type {positions!r}, "
            f"which transformers no longer has for {kind}; name another encoder"
        )
    with said_of(name):
        config = read_config(content)
    for key in SIZES:
        if type(getattr(config, key, None)) is not int or getattr(config, key) < 1:
            raise InputError(f"encoders.{name}: config.json lacks a whole number for {key}; fetch it again")
    return config


@torch.inference_mode()
def try_out(encoder: PreTrainedModel, name: str, max_length: int) -> None:
    """
    Raises:
        InputError: hidden states are not one of each layer, or change with padding, or not with what comes later.
    """
    config = encoder.config
    ids = torch.arange(config.vocab_size)[None]  # (1, V)
    ids = ids[ids != (config.pad_token_id or 0)][None, -8:]  # → (1, T)
    length = torch.tensor([8])
    states = encode(encoder, ids, length, output_hidden_states=True).hidden_states
    if [state.shape for state in states] != [(1, 8, config.hidden_size)] * (config.num_hidden_layers + 1):
        raise InputError(f"encoders.{name} does not give one hidden state of each layer; name another encoder")
    if not all(state.isfinite().all() for state in states):
        raise InputError(f"encoders.{name}: a hidden state is not a number; fetch the encoder again")
    last = states[-1]
    padded = encode(encoder, torch.cat([ids, ids], dim=1), length).last_hidden_state[:, :8]  # → (1, T, E)
    if not torch.allclose(padded, last, rtol=0, atol=TOLERANCE * last.abs().max().item()):
        raise InputError(f"encoders.{name}: padding changes its hidden states; name another encoder")
    other = encode(encoder, torch.cat([ids[:, :7], ids[:, :1]], dim=1), length).last_hidden_state
    if torch.equal(other[:, 0], last[:, 0]):
        raise InputError(f"encoders.{name} reads a text from its beginning alone, as decoders do; name a text encoder")
    encode(encoder, ids[:, :1].expand(1, max_length), torch.tensor([max_length]))


@contextmanager
def said_of(name: str) -> Iterator[None]:
    """What `transformers` raises of a config whose values do not fit each other, as a sentence."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # of a dozen kinds
        reason = f"{type(error).__name__}: {in_short(error)}"
        raise InputError(f"encoders.{name}: config.json cannot be built ({reason}); fetch another encoder") from None
