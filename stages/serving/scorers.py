"""A trained model as a function of texts. Its folder alone says how it reads them."""

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import numpy as np
import safetensors.numpy

from stages.common.command import InputError
from stages.common.params import Validator, sentence
from stages.text.truncation import PARTS
from stages.text.vocabulary import read_vocabulary
from stages.text.words import split_words
from stages.training.trained import read_trained

if TYPE_CHECKING:
    import torch

Scorer = Callable[[Sequence[str]], np.ndarray]  # N texts → probabilities (N, C)

NEEDED = {
    "text": ["tokenizer"],
    "words": ["tokenizer"],
    "wordpieces": ["max_length"],
    "features": ["max_length", "encoder"],
}  # of `input`, by its kind
TRAINED = {  # what this code relies on in a run.json, which may be from anyone
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


def load_scorer(folder: Path, encoders: Path, device: "torch.device | None" = None) -> tuple[dict, Scorer]:
    """The content of a trained model's `run.json`, and the model as a function of texts.

    encoders: a folder of frozen encoders by name, for models that read their hidden states.
    device: where a network runs; without it, where `choose_device` says.

    Raises:
        InputError: the folder has no trained model, or one that is damaged, of another version or of another encoder.
    """
    try:
        trained = read_trained(folder)
        fault = jsonschema.exceptions.best_match(Validator(TRAINED).iter_errors(trained))
        if fault:
            raise ValueError(f"run.json: {sentence(fault)}")
        if trained["input"]["kind"] == "text":
            scorer = linear_scorer(folder, trained)
        else:
            from stages.serving.networks import network_scorer  # imports torch, which takes a second

            scorer = network_scorer(folder, trained, encoders, device)
        probabilities = scorer(["a text"])  # fails here if the parts do not fit together
        classes = probabilities.shape[1]
        if classes != len(trained["labels"]):
            raise ValueError(f"run.json has {len(trained['labels'])} labels, but the model has {classes} classes")
        if not np.isfinite(probabilities).all():
            raise ValueError("model.safetensors: a probability is not a number")
    except (InputError, OSError, MemoryError):
        raise
    except Exception as error:  # on damaged files, five libraries raise errors of every kind
        reason = " ".join(str(error).split())[:160]
        raise InputError(f"{folder} is damaged ({reason}); train it again with `dvc repro`") from None
    return trained, scorer


def linear_scorer(folder: Path, trained: dict) -> Scorer:
    linear = importlib.import_module(f"stages.models.{trained['model']}")
    ngrams = read_vocabulary(folder / "ngrams.txt")
    model = linear.Classifier(ngrams, **safetensors.numpy.load_file(folder / "model.safetensors"))
    return lambda texts: model.probabilities(split_words(texts, trained["input"]["tokenizer"]).to_pylist())
