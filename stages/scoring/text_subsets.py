"""Kinds of texts by which an accuracy is told apart: how long, negated or not, how many words are unknown."""

from itertools import pairwise

import numpy as np
import pandas as pd

# English, as the Penn Treebank cuts it: "do n't"; BERT's pre-tokenizer makes it "don ' t".
NEGATIONS = {"not", "n't", "no", "never", "nor", "neither", "nothing", "nobody", "nowhere", "cannot", "without"}
UNKNOWN_SHARES = [0, 0.02, 0.05, 0.1, 1]


def text_subsets(words: pd.Series, vocabulary: set[str]) -> dict[str, pd.Series]:
    """The group of every text by `length` (quarters of all), `negation` and `unknown words`.

    words: every text's words; vocabulary: those that training knew.
    """
    lengths = words.map(len)
    negated = words.map(is_negated)
    unknown = words.map(lambda text: np.mean([word not in vocabulary for word in text]))
    named = ["none", *(f"up to {share:.0%}" for share in UNKNOWN_SHARES[1:-1]), "more"]
    return {
        "length": quartiles(lengths),
        "negation": negated.map({True: "negated", False: "not negated"}).astype("category"),
        "unknown words": pd.cut(unknown, [-1, *UNKNOWN_SHARES], labels=named),
    }


def is_negated(words: list[str]) -> bool:
    return not NEGATIONS.isdisjoint(words) or ("'", "t") in pairwise(words)


def quartiles(lengths: pd.Series) -> pd.Series:
    """Which quarter of all texts, by its range in words."""
    edges = np.unique(lengths.quantile([0.25, 0.5, 0.75]))
    groups = pd.cut(lengths, [-1, *edges[edges < lengths.max()], np.inf])
    ranges = lengths.groupby(groups, observed=True).agg(["min", "max"])
    names = {group: f"{least} to {most} words" for group, least, most in ranges.itertuples()}
    return groups.cat.remove_unused_categories().cat.rename_categories(names)
