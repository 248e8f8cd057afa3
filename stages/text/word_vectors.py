"""Word vectors from texts without labels: which words occur near which, in few numbers for each.

What skip-gram learns step by step is close to this matrix of positive mutual information, taken apart at once
(Levy & Goldberg 2014, https://papers.nips.cc/paper/5477; the settings are those of Levy et al. 2015,
https://aclanthology.org/Q15-1016).
"""

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array
from sklearn.utils.extmath import randomized_svd

from stages.text.vocabulary import SPECIAL_TOKENS, word_ids
from stages.training.inputs import PADDING, UNKNOWN

CONTEXT_POWER = 0.75  # evens out how often context words occur, so that rare ones do not outweigh the others
SCALE = 0.5  # standard deviation of the numbers: at 0.06, as random vectors have, a model learns worse
DECIMALS = 3  # what is left of them, so that processors that round otherwise give the same bytes


def learn(texts: pa.ListArray, vocabulary: list[str], *, size: int, window: int, seed: int) -> np.ndarray:
    """A vector for each of the V words of the vocabulary, (V, size) float32.

    Padding has zeros, the unknown word the mean, and a word that never has another near it a random vector.

    texts: lists of words, in which words outside the vocabulary keep their place.
    window: how many words away another still counts as near; the nearer, the more.
    seed: of the random vectors, and of the directions that the decomposition starts from
        (https://arxiv.org/abs/0909.4061).
    """
    vectors = np.random.default_rng(seed).normal(0, SCALE, (len(vocabulary), size))
    information = positive_information(cooccurrences(texts, vocabulary, window))
    learned = information.sum(axis=1) > 0
    if learned.any():
        left, strengths, _ = randomized_svd(information, size, random_state=seed)  # of few words, fewer than `size`
        found = np.zeros_like(vectors)
        found[:, : len(strengths)] = left * np.sqrt(strengths)
        vectors[learned] = found[learned] * (SCALE / found[learned].std())
    vectors[PADDING], vectors[UNKNOWN] = 0, vectors[len(SPECIAL_TOKENS) :].mean(axis=0)
    return vectors.round(DECIMALS).astype(np.float32)


def cooccurrences(texts: pa.ListArray, vocabulary: list[str], window: int) -> csr_array:
    """How often two words are near each other, symmetric, (V, V): next to each other 1, further apart less."""
    lists = word_ids(texts, vocabulary)
    ids, offsets = lists.flatten().to_numpy().astype(np.int64), lists.offsets.to_numpy()
    text = np.repeat(np.arange(len(lists)), np.diff(offsets))
    size = len(vocabulary)
    near = csr_array((size, size))
    for distance in range(1, window + 1):
        first, second = ids[:-distance], ids[distance:]
        counted = (text[:-distance] == text[distance:]) & (np.minimum(first, second) >= len(SPECIAL_TOKENS))
        pairs, counts = np.unique(first[counted] * size + second[counted], return_counts=True)
        weights = counts * (1 - (distance - 1) / window)
        near = near + csr_array((weights, (pairs // size, pairs % size)), shape=(size, size))
    return near + near.T


def positive_information(near: csr_array) -> csr_array:
    """Pointwise mutual information of words and their contexts where it is above 0, (V, V)."""
    pairs = near.tocoo()
    words = near.sum(axis=1)
    contexts = words**CONTEXT_POWER
    row, column = pairs.coords
    information = np.log(pairs.data * contexts.sum() / (words[row] * contexts[column]))
    kept = information > 0
    return csr_array((information[kept], (row[kept], column[kept])), shape=near.shape)
