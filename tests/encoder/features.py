"""Hidden states of a few rows, and rows of random pieces."""

import numpy as np
import torch
from tqdm import tqdm

from stages.encoder.frozen import FrozenEncoder
from stages.training.sequences import Sequences

CPU = torch.device("cpu")


def features_of(encoder: FrozenEncoder, rows: list[list[int]]) -> list[np.ndarray]:
    sequences = Sequences.of(rows)
    out = np.full((len(sequences.tokens), encoder.states * encoder.feature_size), np.nan, dtype=np.float16)
    with tqdm(disable=True) as progress:
        encoder.write(sequences, out, progress)
    return np.split(out, sequences.offsets[1:-1])


def rows_of(count: int, seed: int = 1) -> Sequences:
    generator = np.random.default_rng(seed)
    return Sequences.of([generator.integers(5, 60, generator.integers(2, 30)).tolist() for _ in range(count)])
