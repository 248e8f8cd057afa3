"""A trained model made ready for texts: what its run's folder holds, and nothing else, says how it reads them."""

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import safetensors.numpy
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from tqdm import tqdm

from stages.lib import files
from stages.lib.batches import Sequences
from stages.lib.command import InputError
from stages.lib.inference import predict
from stages.lib.runs import read_run
from stages.lib.text import split_words
from stages.lib.vocabulary import SPECIAL_TOKENS, UNKNOWN, read_vocabulary
from stages.lib.wordpieces import encode, read_tokenizer

Scorer = Callable[[Sequence[str]], np.ndarray]  # N texts → probabilities (N, C)


def load_scorer(folder: Path, encoders: Path, device: torch.device) -> tuple[dict, Scorer]:
    """What `run.json` says, and the model as a function of texts.

    encoders: the folder that holds frozen encoders by their names, for models that read their features.

    Raises:
        InputError: no run, one of another version, a damaged one, or one of another encoder than is there.
    """
    run = read_run(folder)
    try:
        new_scorer = linear_scorer if run["input"]["kind"] == "text" else network_scorer
        scorer = new_scorer(folder, run, encoders, device)
        scorer(["a text"])  # parts that do not fit each other show here
    except (SafetensorError, RuntimeError, LookupError, TypeError, ValueError, AttributeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"{folder} is damaged ({reason}); train it again with `dvc repro`") from None
    return run, scorer


def network_scorer(folder: Path, run: dict, encoders: Path, device: torch.device) -> Scorer:
    model = importlib.import_module(f"stages.models.{run['model']}").Classifier(**run["arguments"])
    model.load_state_dict(load_file(folder / "model.safetensors"))
    model.to(device)
    read = READERS[run["input"]["kind"]](folder, run["input"], encoders, device)
    return lambda texts: predict(model, read(texts), device).softmax(dim=1).numpy()


def linear_scorer(folder: Path, run: dict, encoders: Path, device: torch.device) -> Scorer:
    linear = importlib.import_module(f"stages.models.{run['model']}")
    ngrams = read_vocabulary(folder / "ngrams.txt")
    model = linear.Classifier(ngrams, **safetensors.numpy.load_file(folder / "model.safetensors"))
    return lambda texts: model.probabilities(split_words(texts, run["input"]["tokenizer"]))


Reader = Callable[[Sequence[str]], Sequences]


def word_reader(folder: Path, about: dict, encoders: Path, device: torch.device) -> Reader:
    vocabulary, size = read_vocabulary(folder / "vocab.txt"), about["arguments"]["vocabulary_size"]
    if len(vocabulary) != size:
        raise ValueError(f"vocab.txt has {len(vocabulary)} words, the model {size}")
    ids = {word: number for number, word in enumerate(vocabulary) if number >= len(SPECIAL_TOKENS)}

    def read(texts: Sequence[str]) -> Sequences:
        rows = split_words(texts, about["tokenizer"])
        return Sequences.of([[ids.get(word, UNKNOWN) for word in row] for row in rows])

    return read


def wordpiece_reader(folder: Path, about: dict, encoders: Path, device: torch.device) -> Reader:
    tokenizer = read_tokenizer(folder / "tokenizer.json", about["max_length"])
    return lambda texts: Sequences.of(encode(tokenizer, texts))


def feature_reader(folder: Path, about: dict, encoders: Path, device: torch.device) -> Reader:
    name, weights = about["encoder"]["name"], about["encoder"]["weights"]
    there = encoders / name
    if not (there / "model.safetensors").is_file():
        raise InputError(f"{there} holds no encoder; fetch it with `dvc repro download_encoder`")
    if files.sha256(there / "model.safetensors") != weights:
        raise InputError(f"{folder} was trained on another encoder than {there}; train it again with `dvc repro`")
    from stages.lib.encoders import FrozenEncoder  # 3 seconds that other models do without

    settings = {key: about["encoder"][key] for key in ("layers", "mix", "precision")}
    encoder = FrozenEncoder(there, **settings, device=device)
    read_pieces = wordpiece_reader(folder, about, encoders, device)

    def read(texts: Sequence[str]) -> Sequences:
        rows = read_pieces(texts)
        features = np.empty((rows.offsets[-1], encoder.states * encoder.feature_size), dtype=np.float16)
        encoder.write(rows, features, tqdm(disable=True))
        return Sequences(rows.ids, rows.labels, features, rows.offsets)

    return read


READERS = {"words": word_reader, "wordpieces": wordpiece_reader, "features": feature_reader}
