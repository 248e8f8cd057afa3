"""The files that a pretrained BERT consists of, checked before anything computes with them."""

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from tokenizers import Tokenizer

from stages.common.command import InputError
from stages.text.wordpieces import read_tokenizer

FILES = ("config.json", "tokenizer.json", "model.safetensors")  # the largest last
PARTS = {  # of a tokenizer; the oldest files name no kind of model
    "model": ("WordPiece", None),
    "normalizer": ("BertNormalizer",),
    "pre_tokenizer": ("BertPreTokenizer",),
}
ENDS = [
    {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
    {"Sequence": {"id": "A", "type_id": 0}},
    {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
]


def check_encoder(folder: Path, name: str, max_length: int) -> None:
    """Refuse what is no BERT, or whose parts do not belong together.

    Raises:
        InputError: a file is damaged, of another architecture, or does not fit the others or `max_length`.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        with safe_open(folder / "model.safetensors", framework="np") as weights:
            names = weights.keys()
            embeddings = [key for key in names if key.endswith("word_embeddings.weight")]
            shape = weights.get_slice(embeddings[0]).get_shape() if embeddings else []
    except (ValueError, RecursionError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"encoders.{name}: the files are damaged ({reason}); fetch them again") from None
    architecture = config.get("model_type") if isinstance(config, dict) else None
    if architecture != "bert":
        raise InputError(f"encoders.{name} is of the architecture {architecture!r}, expected 'bert'; name another")
    for key in ("vocab_size", "max_position_embeddings", "num_hidden_layers", "hidden_size"):
        if type(config.get(key)) is not int:
            raise InputError(f"encoders.{name}: config.json lacks a whole number for {key}; fetch it again")
    if len(shape) != 2:
        raise InputError(f"encoders.{name}: model.safetensors holds no word_embeddings.weight; name another encoder")
    if shape[0] != config["vocab_size"]:
        raise InputError(
            f"encoders.{name}: model.safetensors has vectors for {shape[0]} pieces, "
            f"config.json says {config['vocab_size']}; fetch them again"
        )
    if config["num_hidden_layers"] > len(names):  # every layer has several, and building a billion takes forever
        raise InputError(
            f"encoders.{name}: config.json says {config['num_hidden_layers']} layers, "
            f"model.safetensors holds {len(names)} tensors; fetch them again"
        )
    if max_length > config["max_position_embeddings"]:
        raise InputError(
            f"params.yaml: encoders.{name}.max_length is {max_length}; "
            f"the encoder reads {config['max_position_embeddings']} pieces"
        )
    read_bert_tokenizer(folder / "tokenizer.json", max_length, shape[0])


def read_bert_tokenizer(path: Path, max_length: int, pieces: int) -> Tokenizer:
    """As `read_tokenizer`, of a file that anyone may have written.

    The library runs whatever parts a file names. Some never end (a regular expression) or abort (a template of
    pieces that there are not), so only the parts of a BERT are let through.

    pieces: how many the weights have vectors for.

    Raises:
        InputError: no tokenizer, one that is not a BERT's, or one with ids that the weights have no vector for.
    """
    again = "fetch the encoder again, or train again"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        for part, kinds in PARTS.items():
            if content[part].get("type") not in kinds:
                raise ValueError(f"its {part} is no {kinds[0]}")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path} is no tokenizer of a BERT ({reason}); {again}") from None
    tokenizer = read_tokenizer(path, max_length)
    around = content.get("post_processor") or {}
    ids = {piece: tokenizer.token_to_id(piece) for piece in ("[CLS]", "[SEP]")}
    pieces_around = {piece: {"id": piece, "ids": [number], "tokens": [piece]} for piece, number in ids.items()}
    if around.get("single") != ENDS or around.get("special_tokens") != pieces_around:
        raise InputError(f"{path} puts no [CLS] before and [SEP] behind a text, as a BERT's does; {again}")
    highest = max(tokenizer.get_vocab().values())  # there may be gaps below it
    if highest >= pieces:
        raise InputError(f"{path} has {highest + 1} pieces, the weights {pieces}; {again}")
    return tokenizer
