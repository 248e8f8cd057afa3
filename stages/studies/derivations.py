"""What the notebooks derive or count on paper, each checked in numbers."""

import numpy as np
import torch
from scipy.special import log_softmax, softmax
from transformers import BertConfig, BertModel

from stages.models import notebook_bigru

TRIALS, LENGTH, WIDTH = 1_000, 64, 16


def tidy(value: np.floating) -> float:
    """Rounded to 12 decimals, since processors differ in the digits after them."""
    return round(float(value), 12)


def cross_entropy_is_likelihood(rng: np.random.Generator) -> dict[str, float]:
    """Whether cross entropy is −log of the softmax of the right class, and which form survives logits far apart.

    One logit is 1,000 above the other there.
    """
    logits, labels = rng.normal(size=(TRIALS, 5)), rng.integers(5, size=TRIALS)
    one_hot = np.eye(5)[labels]
    cross_entropy = -(one_hot * log_softmax(logits, axis=1)).sum(axis=1)
    likelihood = -np.log(softmax(logits, axis=1)[np.arange(TRIALS), labels])
    far = np.array([0.0, 1000.0])
    with np.errstate(divide="ignore"):
        log_of_softmax = np.log(softmax(far))[0]
    return {
        "largest_difference": tidy(np.abs(cross_entropy - likelihood).max()),
        "log_softmax_1000_apart": float(log_softmax(far)[0]),
        "log_of_softmax_1000_apart_is_finite": bool(np.isfinite(log_of_softmax)),
    }


def alternating_sum(rng: np.random.Generator) -> dict[str, float]:
    """Whether h_t = x_t − h_{t−1} ends in the even-numbered inputs' sum less that of the odd-numbered.

    Also how often σ(1000·h) exceeds 1/2 exactly where the first sum is the larger.
    """
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
    """Attention with weights exp(mean(q_i)·mean(k_j)), and with exp(mean(q_i))·exp(mean(k_j)), linear in the length.

    A weight that is a factor of i times a factor of j allows linear time, but normalizing cancels the factor of i: all
    rows of the output are the same.
    """
    queries, keys = rng.normal(size=(2, LENGTH)) * 0.5  # mean(q_i), mean(k_j)
    values = rng.normal(size=(LENGTH, WIDTH))
    as_written = softmax(np.outer(queries, keys), axis=1) @ values  # (T, WIDTH), from every pair: O(T²)
    products = np.outer(np.exp(queries), np.exp(keys))
    from_pairs = products / products.sum(axis=1, keepdims=True) @ values
    from_sums = np.exp(keys) @ values / np.exp(keys).sum()  # O(T), without the queries
    return {
        "rows_differ_as_written": tidy(as_written.std(axis=0).max()),
        "rows_differ_made_linear": tidy(from_pairs.std(axis=0).max()),
        "without_query_against_with": tidy(np.abs(from_pairs - from_sums).max()),
    }


def parameters() -> dict[str, int]:
    """How many parameters `notebook_bigru` has on bert-base, whose sizes are the defaults of `BertConfig`."""
    with torch.device("meta"):  # shapes without values
        trained = notebook_bigru.Classifier(768, states=1, classes=1, hidden_size=256, dropout=0.25)
        frozen = BertModel(BertConfig())
    own, berts = (sum(parameter.numel() for parameter in module.parameters()) for module in (trained, frozen))
    return {"trainable": own, "all": own + berts}
