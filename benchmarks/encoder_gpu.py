"""An encoder of bert-base's shape with random weights, on a GPU: against notebook N's way and the GPU's peak."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from safetensors.torch import save_file

from benchmarks import data, notebook_n
from benchmarks.encoder import MAX_LENGTH, NOTEBOOK, REVIEWS, features, wordpieces
from benchmarks.pairs import Row, ratio, synchronized
from stages.common.command import InputError
from stages.encoder.bert import FrozenEncoder, new_encoder
from stages.training.sequences import Sequences

WHAT = f"bert-base's shape on {REVIEWS} IMDB reviews, at most {MAX_LENGTH} wordpieces, GPU"
PEAK = "measured bf16 peak"
AIMS = {NOTEBOOK: 1 / 10, PEAK: 2.0}  # at least half the peak
PAIRS = 5
SIDE = 8192  # of the square matrices whose product is taken for the peak


def random_encoder(folder: Path) -> Path:
    """A folder as download_encoder leaves it; BertConfig without arguments is bert-base's."""
    folder.mkdir()
    torch.manual_seed(1)
    encoder = new_encoder({})
    (folder / "config.json").write_text(json.dumps(encoder.config.to_dict()), encoding="utf-8")
    save_file(encoder.state_dict(), folder / "model.safetensors")
    return folder


def operations(rows: Sequences, encoder: FrozenEncoder) -> float:
    """Floating-point operations that the rows need without padding: the layers' products and the attention's."""
    config = encoder.encoder.config
    weights = config.num_hidden_layers * config.hidden_size * (4 * config.hidden_size + 2 * config.intermediate_size)
    attention = config.num_hidden_layers * 2 * config.hidden_size
    lengths = rows.lengths.astype(float)
    return 2 * (weights * lengths.sum() + attention * (lengths**2).sum())


def product(device: torch.device) -> Callable[[], None]:
    matrix = torch.randn(SIDE, SIDE, device=device, dtype=torch.bfloat16)
    return synchronized(lambda: matrix @ matrix)


def measured(device: torch.device) -> Iterator[Row]:
    rows = wordpieces(data.imdb_reviews(REVIEWS))
    folder = random_encoder(data.FOLDER / "bert_base_random")
    encoder = FrozenEncoder(folder, layers=[12], mix="mean", precision="bf16", device=device)
    theirs = synchronized(notebook_n.reading(folder, rows, device))
    yield Row(WHAT, NOTEBOOK, ratio(lambda: features(encoder, rows), theirs, PAIRS), AIMS[NOTEBOOK], "bf16")
    # Ours takes so many times as long as the product of two matrices, which is done at the peak.
    products = ratio(lambda: features(encoder, rows), product(device), PAIRS)
    over_peak = float(products * 2 * SIDE**3 / operations(rows, encoder))
    yield Row(WHAT, PEAK, over_peak, AIMS[PEAK], f"bf16; {1 / over_peak:.0%} of it, copies to the CPU included")


def rows() -> Iterator[Row]:
    reason = "no GPU"
    try:
        if torch.cuda.is_available():
            yield from measured(torch.device("cuda"))
            return
    except InputError as error:
        reason = str(error)
    for other, aim in AIMS.items():
        yield Row(WHAT, other, None, aim, reason)
