"""The files that a pretrained encoder consists of, looked at before anything is built of them."""

import json
import math
from pathlib import Path

from safetensors import SafetensorError, safe_open

from stages.common.command import InputError

FILES = ("config.json", "tokenizer.json", "model.safetensors")  # the largest last
FLOATS = ("F64", "F32", "F16", "BF16")
NOT_AN_ENCODER = {  # what a config.json may say of itself, and what the model then is
    "is_encoder_decoder": "a model that writes texts (is_encoder_decoder)",
    "is_decoder": "a decoder (is_decoder)",
    "add_cross_attention": "a part of a model that writes texts (add_cross_attention)",
    "auto_map": "a model whose code comes with it (auto_map), which is never run",
    "quantization_config": "a model of quantized weights (quantization_config)",
}


def read_content(path: Path, name: str) -> dict:
    """What a config.json says.

    Raises:
        InputError: it is damaged, or says that the model is not an encoder.
    """
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise damaged(name, error) from None
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise InputError(f"encoders.{name}: config.json names no model_type; fetch it again, or name another encoder")
    for key, what in NOT_AN_ENCODER.items():
        if config.get(key):
            raise InputError(f"encoders.{name} is {what}; name a text encoder, such as a BERT or a RoBERTa")
    return config


def count_weights(path: Path, name: str) -> tuple[int, int]:
    """How many tensors a model.safetensors holds, and how many numbers; only its header is read.

    Raises:
        InputError: it is damaged, or a weight is stored as a whole number.
    """
    try:
        with safe_open(path, framework="np") as weights:
            slices = {key: weights.get_slice(key) for key in weights.keys()}  # noqa: SIM118, it is not a dict
            shapes = [part.get_shape() for part in slices.values()]
            kinds = {key: part.get_dtype() for key, part in slices.items()}
    except (ValueError, SafetensorError) as error:
        raise damaged(name, error) from None
    for key, kind in kinds.items():
        if kind not in FLOATS and not key.endswith("position_ids"):  # which count 0, 1, 2, …
            raise InputError(f"encoders.{name}: {key} is stored as {kind}, expected one of {', '.join(FLOATS)}")
    return len(shapes), sum(math.prod(shape) for shape in shapes)


def damaged(name: str, error: Exception) -> InputError:
    return InputError(f"encoders.{name}: the files are damaged ({in_short(error)}); fetch them again")


def in_short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
