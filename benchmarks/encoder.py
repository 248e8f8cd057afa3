"""The frozen encoder on 128 reviews of IMDB, on the CPU, against what people would use otherwise."""

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from benchmarks import data, notebook_n
from benchmarks.timing import Row, ratio
from stages.common.command import InputError
from stages.encoder.frozen import FrozenEncoder
from stages.text.wordpieces import encode, read_tokenizer
from stages.training.sequences import Sequences

REVIEWS, MAX_LENGTH = 128, 512
WHAT = f"MiniLM on {REVIEWS} IMDB reviews, at most {MAX_LENGTH} wordpieces, CPU"
NOTEBOOK, LIBRARY = "notebook N", "sentence-transformers"
AIMS = {NOTEBOOK: 1 / 4, LIBRARY: 1 / 2}
PAIRS = 2
CPU = torch.device("cpu")


def wordpieces(texts: list[str]) -> Sequences:
    return Sequences.of(encode(read_tokenizer(data.encoder_files() / "tokenizer.json", MAX_LENGTH), texts))


def features(encoder: FrozenEncoder, rows: Sequences) -> np.ndarray:
    """The rows' hidden states as embed_bert computes them, in batches of bounded size: (tokens, E) float16."""
    found = np.empty((rows.offsets[-1], encoder.states * encoder.feature_size), dtype=np.float16)
    encoder.write(rows, found, tqdm(disable=True))
    return found


def cosines(some: np.ndarray, others: np.ndarray) -> torch.Tensor:
    """The cosine similarity of two features of each token, (tokens,)."""
    return torch.cosine_similarity(torch.from_numpy(some).float(), torch.from_numpy(others).float())


def with_library(folder: Path, texts: list[str]) -> Callable[[], object]:
    """sentence-transformers with its defaults: fp32, batches of 32 sorted by length."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Transformer

    model = SentenceTransformer(modules=[Transformer(str(folder), max_seq_length=MAX_LENGTH)], device="cpu")
    return lambda: model.encode(texts, output_value="token_embeddings")


def measured() -> Iterator[Row]:
    """Compare the mean of all hidden states, as in params.yaml, in the precision in which this processor is fastest."""
    texts, folder = data.imdb_reviews(REVIEWS), data.encoder_files()
    rows = wordpieces(texts)
    precision = "bf16" if torch.cpu.get_capabilities().get("avx512_bf16") else "fp32"
    ours, exact = (
        FrozenEncoder(folder, layers=list(range(7)), mix="mean", precision=name, device=CPU)
        for name in (precision, "fp32")
    )
    alike = cosines(features(ours, rows), features(exact, rows))
    note = f"{precision}; cosine with features in fp32: lowest {alike.min():.5f}, mean {alike.mean():.5f}"
    theirs = notebook_n.reading(folder, rows, CPU)
    yield Row(WHAT, NOTEBOOK, ratio(lambda: features(ours, rows), theirs, PAIRS), AIMS[NOTEBOOK], note)
    if importlib.util.find_spec("sentence_transformers") is None:
        yield Row(WHAT, LIBRARY, None, AIMS[LIBRARY], "sentence-transformers is not installed")
        return
    theirs = with_library(folder, texts)  # starts from texts, so ours must too
    yield Row(WHAT, LIBRARY, ratio(lambda: features(ours, wordpieces(texts)), theirs, PAIRS), AIMS[LIBRARY], precision)


def rows() -> Iterator[Row]:
    try:
        yield from measured()
    except InputError as error:
        for other, aim in AIMS.items():
            yield Row(WHAT, other, None, aim, str(error))
