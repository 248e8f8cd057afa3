"""A pretrained text encoder of any kind that `transformers` has, from its config.json and model.safetensors.

What differs between kinds is read from the config and the module: the names of sizes, the padding id, the positions.
"""

import inspect

import torch
from transformers import MODEL_MAPPING, AutoConfig, PreTrainedConfig, PreTrainedModel
from transformers.utils import ModelOutput, logging

from stages.common.command import InputError
from stages.training.padding import is_word

logging.set_verbosity_error()
logging.disable_progress_bar()

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}
# Kinds whose attention takes booleans (B, 1, 1, T) as they are. ModernBERT makes windows of (B, T), and MPNet adds what
# it is given to its scores: they take such booleans too, and compute something else.
TAKE_BOOLEANS = ("albert", "bert", "camembert", "distilbert", "electra", "roberta", "xlm-roberta")
# What a checkpoint may hold beside the encoder: heads of its pretraining or of another task, and the numbers 0, 1, 2, …
HEADS = {
    "classifier",
    "cls",
    "decoder",
    "discriminator_predictions",
    "generator_lm_head",
    "generator_predictions",
    "head",
    "lm_head",
    "lm_predictions",
    "mask_predictions",
    "pooler",
    "pre_classifier",
    "predictions",
    "qa_outputs",
    "score",
    "sop_classifier",
    "vocab_layer_norm",
    "vocab_projector",
    "vocab_transform",
}
POSITION_NUMBERS = ".position_ids"
ATTENTION_DROPOUT = ("attention_probs_dropout_prob", "attention_dropout")  # its name, by the kind of encoder


def read_config(config: dict, attention_dropout: float | None = None) -> PreTrainedConfig:
    """The config of a config.json's content, with another dropout on attention's weights if one is given."""
    read = AutoConfig.for_model(**config)
    for name in ATTENTION_DROPOUT:
        if attention_dropout is not None and hasattr(read, name):
            setattr(read, name, attention_dropout)
    return read


def new_encoder(config: PreTrainedConfig) -> PreTrainedModel:
    """An encoder with random weights, without the pooler, whose output nothing here reads."""
    kind = class_of(config)
    return kind(config, **without_pooler(kind))


def class_of(config: PreTrainedConfig) -> type[PreTrainedModel]:
    kind = MODEL_MAPPING[type(config)]
    return kind[0] if isinstance(kind, tuple) else kind


def without_pooler(kind: type[PreTrainedModel]) -> dict[str, bool]:
    has_choice = "add_pooling_layer" in inspect.signature(kind.__init__).parameters
    return {"add_pooling_layer": False} if has_choice else {}


def with_weights(config: PreTrainedConfig, weights: dict[str, torch.Tensor]) -> PreTrainedModel:
    """An encoder with the given weights, under the names that any checkpoint of its kind gives them.

    Raises:
        InputError: a weight is missing or has another shape, or none of the encoder's parts reads it.
    """
    kind = class_of(config)
    loaded, found = kind.from_pretrained(
        None,
        config=config,
        state_dict=weights,
        dtype=torch.float32,  # whatever config.json says
        ignore_mismatched_sizes=True,
        output_loading_info=True,
        **without_pooler(kind),
    )
    prefix = f"{kind.base_model_prefix}."
    beside = {name for name in found["unexpected_keys"] if name.removeprefix(prefix).split(".")[0] in HEADS}
    beside |= {name for name in found["unexpected_keys"] if f".{name}".endswith(POSITION_NUMBERS)}
    faults = {f"{name} is missing" for name in found["missing_keys"]}
    faults |= {f"{name} is there a second time" for name in weights if f"{prefix}{name}" in weights}
    faults |= {f"{name} has another shape" for name, *_ in found["mismatched_keys"]}
    faults |= {f"nothing reads {name}" for name in found["unexpected_keys"] if name not in beside}
    if faults:
        more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
        raise InputError(
            f"the encoder's weights do not fit its config.json: {min(faults)}{more}; fetch another encoder"
        )
    return loaded


def longest_input(encoder: PreTrainedModel) -> int:
    """How many pieces an encoder reads: RoBERTa numbers them from behind its padding id, so of 514 positions 512."""
    positions = encoder.config.max_position_embeddings
    tables = [module for name, module in encoder.named_modules() if name.endswith("position_embeddings")]
    padding = getattr(tables[0], "padding_idx", None) if tables else None
    return positions if padding is None else positions - padding - 1


def encode(encoder: PreTrainedModel, ids: torch.Tensor, lengths: torch.Tensor, **options: bool) -> ModelOutput:
    """What `transformers` returns for ids (B, T) and lengths (B,), whatever ids are behind the lengths.

    On a GPU the mask is in the form that attention itself takes, where the kind of encoder lets it: of (B, T) the
    library asks the GPU, at every step, whether it is true everywhere, and the CPU waits for the answer.
    """
    is_token = is_word(lengths, ids.size(1))  # (B, T)
    ids = ids.masked_fill(~is_token, encoder.config.pad_token_id or 0)  # RoBERTa counts positions by it
    as_booleans = is_token.is_cuda and encoder.config.model_type in TAKE_BOOLEANS
    mask = is_token[:, None, None] if as_booleans else is_token.long()  # (B, T) → (B, 1, 1, T)
    return encoder(ids, attention_mask=mask, **options)
