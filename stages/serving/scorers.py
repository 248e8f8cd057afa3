"""A trained model made ready for texts: what its folder holds, and nothing else, says how it reads them."""

import importlib
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import jsonschema
import numpy as np
import pyarrow as pa
import safetensors.numpy
import torch
from safetensors.torch import load_file
from tqdm import tqdm

from stages.common import files
from stages.common.command import InputError
from stages.common.params import Validator, sentence
from stages.encoder.bert_files import read_bert_tokenizer
from stages.text.truncation import PARTS, shorten
from stages.text.vocabulary import read_vocabulary, word_ids
from stages.text.wordpieces import encode
from stages.text.words import split_words
from stages.training.inference import predict
from stages.training.sequences import Sequences
from stages.training.trained import read_trained

Scorer = Callable[[Sequence[str]], np.ndarray]  # N texts → probabilities (N, C)

NEEDED = {
    "text": ["tokenizer"],
    "words": ["tokenizer"],
    "wordpieces": ["max_length"],
    "features": ["max_length", "encoder"],
}  # of `input`, by its kind
TRAINED = {  # what the code below relies on in a run.json, which may come from anyone
    "properties": {
        "arguments": {"type": "object", "description": "a mapping"},
        "labels": {
            "type": "array",
            "description": "a list of two or more different names",
            "items": {"type": "string", "pattern": "^[^\ud800-\udfff]+$", "description": "a name"},
            "minItems": 2,
            "uniqueItems": True,
        },
        "input": {
            "type": "object",
            "description": "a mapping",
            "required": ["kind"],
            "properties": {
                "kind": {"enum": list(NEEDED), "description": ", ".join(NEEDED)},
                "tokenizer": {
                    "enum": ["blanks", "treebank", "raw_text"],
                    "description": "blanks, treebank or raw_text",
                },
                "max_length": {"type": "integer", "minimum": 3, "description": "a whole number from 3 up"},
                "kept": {
                    "type": "object",
                    "description": "a mapping of longest and part",
                    "required": ["longest", "part"],
                    "additionalProperties": False,
                    "properties": {
                        "longest": {"type": "integer", "minimum": 3, "description": "a whole number from 3 up"},
                        "part": {"enum": list(PARTS), "description": ", ".join(PARTS)},
                    },
                },
                "encoder": {
                    "type": "object",
                    "description": "a mapping",
                    "required": ["name", "weights", "layers", "mix", "precision"],
                    "properties": {"name": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$", "description": "a name"}},
                },
            },
            "allOf": [
                {"if": {"required": ["kind"], "properties": {"kind": {"const": kind}}}, "then": {"required": keys}}
                for kind, keys in NEEDED.items()
            ],
        },
    },
}


def load_scorer(folder: Path, encoders: Path, device: torch.device) -> tuple[dict, Scorer]:
    """What `run.json` says, and the model as a function of texts.

    encoders: the folder that holds frozen encoders by their names, for models that read their features.

    Raises:
        InputError: no trained model, one of another version, a damaged one, or one of another encoder than is there.
    """
    try:
        trained = read_trained(folder)
        fault = jsonschema.exceptions.best_match(Validator(TRAINED).iter_errors(trained))
        if fault:
            raise ValueError(f"run.json: {sentence(fault)}")
        new_scorer = linear_scorer if trained["input"]["kind"] == "text" else network_scorer
        scorer = new_scorer(folder, trained, encoders, device)
        shown = scorer(["a text"])  # parts that do not fit each other show here
        if shown.shape[1] != len(trained["labels"]):
            raise ValueError(f"run.json: {len(trained['labels'])} labels, the model has {shown.shape[1]} classes")
        if not np.isfinite(shown).all():
            raise ValueError("model.safetensors: a probability is not a number")
    except (InputError, OSError, MemoryError):
        raise
    except Exception as error:  # what is damaged makes five libraries raise of every kind
        reason = " ".join(str(error).split())[:160]
        raise InputError(f"{folder} is damaged ({reason}); train it again with `dvc repro`") from None
    return trained, scorer


def network_scorer(folder: Path, trained: dict, encoders: Path, device: torch.device) -> Scorer:
    new_model = partial(importlib.import_module(f"stages.models.{trained['model']}").Classifier, **trained["arguments"])
    weights = load_file(folder / "model.safetensors")
    with torch.device("meta"):  # where sizes that are a lie take no memory
        shapes = {name: tensor.shape for name, tensor in new_model().state_dict().items()}
    if shapes != {name: tensor.shape for name, tensor in weights.items()}:
        raise ValueError("model.safetensors: not the tensors of the model in run.json")
    model = new_model()
    model.load_state_dict(weights)
    model.to(device)
    read = READERS[trained["input"]["kind"]](folder, trained, encoders, device)
    return lambda texts: predict(model, read(texts), device).softmax(dim=1).numpy()


def linear_scorer(folder: Path, trained: dict, encoders: Path, device: torch.device) -> Scorer:
    linear = importlib.import_module(f"stages.models.{trained['model']}")
    ngrams = read_vocabulary(folder / "ngrams.txt")
    model = linear.Classifier(ngrams, **safetensors.numpy.load_file(folder / "model.safetensors"))
    return lambda texts: model.probabilities(split_words(texts, trained["input"]["tokenizer"]).to_pylist())


Reader = Callable[[Sequence[str]], Sequences]


def word_reader(folder: Path, trained: dict, encoders: Path, device: torch.device) -> Reader:
    vocabulary, size = read_vocabulary(folder / "vocab.txt"), trained["arguments"]["vocabulary_size"]
    if len(vocabulary) != size:
        raise ValueError(f"vocab.txt has {len(vocabulary)} words, the model {size}")
    kept = trained["input"].get("kept")

    def read(texts: Sequence[str]) -> Sequences:
        ids = word_ids(split_words(texts, trained["input"]["tokenizer"]), vocabulary)
        return Sequences.of(shorten(ids, **kept) if kept else ids)

    return read


def piece_reader(folder: Path, trained: dict, config: dict) -> Reader:
    """The wordpieces that an encoder of this config reads."""
    longest, positions = trained["input"]["max_length"], config["max_position_embeddings"]
    if longest > positions:
        raise ValueError(f"run.json: input.max_length is {longest}, the encoder reads {positions} pieces")
    tokenizer = read_bert_tokenizer(folder / "tokenizer.json", longest, config["vocab_size"])
    tokenizer.no_truncation()
    kept = trained["input"].get("kept", {"longest": longest, "part": "head"})
    if kept["longest"] != longest:
        raise ValueError(f"run.json: input.kept.longest is {kept['longest']}, input.max_length {longest}")

    def read(texts: Sequence[str]) -> Sequences:
        pieces = pa.array(encode(tokenizer, texts), pa.list_(pa.int32()))
        return Sequences.of(shorten(pieces, **kept, keep_ends=True))

    return read


def wordpiece_reader(folder: Path, trained: dict, encoders: Path, device: torch.device) -> Reader:
    return piece_reader(folder, trained, trained["arguments"]["config"])


def feature_reader(folder: Path, trained: dict, encoders: Path, device: torch.device) -> Reader:
    about = trained["input"]["encoder"]
    there = encoders / about["name"]
    if not (there / "model.safetensors").is_file():
        raise InputError(f"{there} holds no encoder; fetch it with `dvc repro download_encoder`")
    if files.sha256(there / "model.safetensors") != about["weights"]:
        raise InputError(f"{folder} was trained on another encoder than {there}; train it again with `dvc repro`")
    from stages.encoder.bert import FrozenEncoder  # 3 seconds that other models do without

    settings = {key: about[key] for key in ("layers", "mix", "precision")}
    encoder = FrozenEncoder(there, **settings, device=device)
    config = json.loads((there / "config.json").read_text(encoding="utf-8"))
    read_pieces = piece_reader(folder, trained, config)

    def read(texts: Sequence[str]) -> Sequences:
        rows = read_pieces(texts)
        features = np.empty((rows.offsets[-1], encoder.states * encoder.feature_size), dtype=np.float16)
        encoder.write(rows, features, tqdm(disable=True))
        return Sequences(rows.ids, rows.labels, features, rows.offsets)

    return read


READERS = {"words": word_reader, "wordpieces": wordpiece_reader, "features": feature_reader}
