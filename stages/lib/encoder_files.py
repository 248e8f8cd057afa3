"""The files that a pretrained BERT consists of, checked before anything computes with them."""

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open

from stages.lib.command import InputError
from stages.lib.wordpieces import read_tokenizer

FILES = ("config.json", "tokenizer.json", "model.safetensors")  # the largest last


def check_encoder(folder: Path, name: str, max_length: int) -> None:
    """Refuse what is no BERT, or whose parts do not belong together.

    Raises:
        InputError: a file is damaged, of another architecture, or does not fit the others or `max_length`.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        with safe_open(folder / "model.safetensors", framework="np") as weights:
            embeddings = [key for key in weights.keys() if key.endswith("word_embeddings.weight")]  # noqa: SIM118
            rows = weights.get_slice(embeddings[0]).get_shape()[0] if embeddings else None
    except (ValueError, SafetensorError) as error:
        raise InputError(f"encoders.{name}: the files are damaged ({error}); fetch them again") from None
    architecture = config.get("model_type") if isinstance(config, dict) else None
    if architecture != "bert":
        raise InputError(f"encoders.{name} is of the architecture {architecture!r}, expected 'bert'; name another")
    for key in ("vocab_size", "max_position_embeddings", "num_hidden_layers", "hidden_size"):
        if type(config.get(key)) is not int:
            raise InputError(f"encoders.{name}: config.json lacks a whole number for {key}; fetch it again")
    if rows is None:
        raise InputError(f"encoders.{name}: model.safetensors holds no word_embeddings.weight; name another encoder")
    if rows != config["vocab_size"]:
        raise InputError(
            f"encoders.{name}: model.safetensors has vectors for {rows} pieces, config.json says {config['vocab_size']}"
        )
    if max_length > config["max_position_embeddings"]:
        raise InputError(
            f"params.yaml: encoders.{name}.max_length is {max_length}; "
            f"the encoder reads {config['max_position_embeddings']} pieces"
        )
    pieces = read_tokenizer(folder / "tokenizer.json", max_length).get_vocab_size()
    if pieces > rows:
        raise InputError(f"encoders.{name}: tokenizer.json has {pieces} pieces, the weights {rows}")
