"""What notebooks K and N derive or count on paper, each as a difference between two ways to reach it."""

import numpy as np
import torch
from scipy.special import log_softmax, softmax
from transformers import BertConfig, BertModel

from stages.models import notebook_bigru

TRIALS, LENGTH, WIDTH = 1_000, 64, 16


def tidy(value: np.floating) -> float:
    """Without the last digits, in which processors differ."""
    return round(float(value), 12)


def cross_entropy_is_likelihood(rng: np.random.Generator) -> dict[str, float]:
    """K3.0: cross entropy against −log of the softmax; and both logarithms where one logit is 1,000 above the other."""
    logits, labels = rng.normal(size=(TRIALS, 5)), rng.integers(5, size=TRIALS)
    one_hot = np.eye(5)[labels]
    cross_entropy = -(one_hot * log_softmax(logits, axis=1)).sum(axis=1)
    likelihood = -np.log(softmax(logits, axis=1)[np.arange(TRIALS), labels])
    far = np.array([0.0, 1000.0])
    with np.errstate(divide="ignore"):
        of_softmax = np.log(softmax(far))[0]
    return {
        "largest_difference": tidy(np.abs(cross_entropy - likelihood).max()),
        "log_softmax_1000_apart": float(log_softmax(far)[0]),
        "log_of_softmax_1000_apart_is_finite": bool(np.isfinite(of_softmax)),
    }


def alternating_sum(rng: np.random.Generator) -> dict[str, float]:
    """N2: h_t = x_t − h_{t−1} against the closed form, and how often σ(1000·h) fires as the sums say."""
    inputs = rng.normal(size=(TRIALS, LENGTH))
    state = np.zeros(TRIALS)
    for column in inputs.T:
        state = column - state
    even, odd = inputs[:, 1::2].sum(axis=1), inputs[:, 0::2].sum(axis=1)  # counted from 1, as in the notebook
    fires = 1 / (1 + np.exp(-np.clip(1000 * state, -500, 500))) > 0.5
    return {
        "largest_difference": tidy(np.abs(state - (even - odd)).max()),
        "fires_as_the_sums_say": float((fires == (even > odd)).mean()),
    }


def attention_by_means(rng: np.random.Generator) -> dict[str, float]:
    """N3: weights exp(mean(q_i)·mean(k_j)) as written, and made linear as exp(mean(q_i))·exp(mean(k_j)).

    A product of one factor of i and one of j is linear in T, and the factor of i cancels: all rows come out the same.
    """
    queries, keys = rng.normal(size=(2, LENGTH)) * 0.5  # mean(q_i), mean(k_j)
    values = rng.normal(size=(LENGTH, WIDTH))
    as_written = softmax(np.outer(queries, keys), axis=1) @ values  # every pair: O(T²)
    products = np.outer(np.exp(queries), np.exp(keys))
    of_pairs = products / products.sum(axis=1, keepdims=True) @ values
    of_sums = np.exp(keys) @ values / np.exp(keys).sum()  # O(T), and no query in it
    return {
        "rows_differ_as_written": tidy(as_written.std(axis=0).max()),
        "rows_differ_made_linear": tidy(of_pairs.std(axis=0).max()),
        "without_query_against_with": tidy(np.abs(of_pairs - of_sums).max()),
    }


def parameters() -> dict[str, int]:
    """N4.4: of notebook N's network on bert-base, whose sizes are the defaults of `BertConfig`."""
    with torch.device("meta"):  # counted, never filled
        trained = notebook_bigru.Classifier(768, states=1, classes=1, hidden_size=256, dropout=0.25)
        frozen = BertModel(BertConfig())
    own, berts = (sum(parameter.numel() for parameter in module.parameters()) for module in (trained, frozen))
    return {"trainable": own, "all": own + berts}
