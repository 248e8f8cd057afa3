"""A trained network as a function of texts: its weights, and a reader that turns texts into its input."""

import importlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from safetensors.torch import load_file
from torch import nn
from torch.overrides import TorchFunctionMode
from tqdm import tqdm

from stages.common import files
from stages.common.command import InputError
from stages.encoder.tokenizer_file import check_tokenizer
from stages.text.truncation import shorten
from stages.text.vocabulary import read_vocabulary, word_ids
from stages.text.wordpieces import encode
from stages.text.words import split_words
from stages.training.accelerator.devices import choose_device
from stages.training.inference import predict
from stages.training.sequences import Sequences

Scorer = Callable[[Sequence[str]], np.ndarray]  # N texts → probabilities (N, C)
Reader = Callable[[Sequence[str]], Sequences]


class WithoutInitialization(TorchFunctionMode):
    """A mode in which layers are built without drawing initial weights, since trained ones are loaded afterwards.

    On the device `meta`, drawing weights would import a compiler, which takes longer than scoring a text.
    """

    def __torch_function__(self, function: Callable, types: object, arguments: tuple = (), named: dict | None = None):
        if getattr(function, "__module__", "") == "torch.nn.init":
            return arguments[0] if arguments else named["tensor"]
        return function(*arguments, **(named or {}))


def network_scorer(folder: Path, trained: dict, encoders: Path, device: torch.device | None) -> Scorer:
    device = device or choose_device()
    new_model = partial(importlib.import_module(f"stages.models.{trained['model']}").Classifier, **trained["arguments"])
    weights = load_file(folder / "model.safetensors")
    with WithoutInitialization():
        with torch.device("meta"):  # false sizes in a damaged file take no memory here
            shapes = {name: tensor.shape for name, tensor in new_model().state_dict().items()}
        if shapes != {name: tensor.shape for name, tensor in weights.items()}:
            raise ValueError("model.safetensors does not hold the tensors of the model in run.json")
        model = new_model()
    model.load_state_dict(weights)
    model.to(device)
    read = READERS[trained["input"]["kind"]](folder, trained, model, encoders)
    return lambda texts: predict(model, read(texts), device).softmax(dim=1).numpy()


def word_reader(folder: Path, trained: dict, model: nn.Module, encoders: Path) -> Reader:
    vocabulary, size = read_vocabulary(folder / "vocab.txt"), trained["arguments"]["vocabulary_size"]
    if len(vocabulary) != size:
        raise ValueError(f"vocab.txt has {len(vocabulary)} words, but the model has {size}")
    kept = trained["input"].get("kept")

    def read(texts: Sequence[str]) -> Sequences:
        ids = word_ids(split_words(texts, trained["input"]["tokenizer"]), vocabulary)
        return Sequences.of(shorten(ids, **kept) if kept else ids)

    return read


def piece_reader(folder: Path, trained: dict, encoder: nn.Module) -> Reader:
    """Texts → wordpieces, for an encoder."""
    from stages.encoder.pretrained import longest_input  # 3 seconds that other models do without

    longest, positions = trained["input"]["max_length"], longest_input(encoder)
    if longest > positions:
        raise ValueError(f"run.json: input.max_length is {longest}, but the encoder reads {positions} pieces at most")
    tokenizer = check_tokenizer(folder / "tokenizer.json", longest, encoder.config.vocab_size)
    tokenizer.no_truncation()
    kept = trained["input"].get("kept", {"longest": longest, "part": "head"})
    if kept["longest"] != longest:
        raise ValueError(f"run.json: input.kept.longest is {kept['longest']}, but input.max_length is {longest}")

    def read(texts: Sequence[str]) -> Sequences:
        pieces = pa.array(encode(tokenizer, texts), pa.list_(pa.int32()))
        return Sequences.of(shorten(pieces, **kept, keep_ends=True))

    return read


def wordpiece_reader(folder: Path, trained: dict, model: nn.Module, encoders: Path) -> Reader:
    return piece_reader(folder, trained, model.encoder)


def feature_reader(folder: Path, trained: dict, model: nn.Module, encoders: Path) -> Reader:
    about = trained["input"]["encoder"]
    weights = encoders / about["name"]
    if not (weights / "model.safetensors").is_file():
        raise InputError(f"{weights} holds no encoder; fetch it with `dvc repro download_encoder`")
    if files.sha256(weights / "model.safetensors") != about["weights"]:
        raise InputError(f"{folder} was trained on another encoder than {weights}; train it again with `dvc repro`")
    from stages.encoder.frozen import FrozenEncoder  # its import takes 3 seconds

    settings = {key: about[key] for key in ("layers", "mix", "precision")}
    encoder = FrozenEncoder(weights, **settings, device=next(model.parameters()).device)
    read_pieces = piece_reader(folder, trained, encoder.encoder)

    def read(texts: Sequence[str]) -> Sequences:
        rows = read_pieces(texts)
        features = np.empty((rows.offsets[-1], encoder.states * encoder.feature_size), dtype=np.float16)
        encoder.write(rows, features, tqdm(disable=True))
        return Sequences(rows.ids, rows.labels, features, rows.offsets)

    return read


READERS = {"words": word_reader, "wordpieces": wordpiece_reader, "features": feature_reader}
