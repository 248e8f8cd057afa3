"""Holding rows out of a corpus: a share of them or, where rows are phrases of one another (SST-2), whole sentences."""

import sys
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from stages.common.command import InputError

GAPS = ("na", "n/a", "nan", "none", "null", "<na>")  # as R, pandas and databases write them, in lower case


def files_of(splits: dict) -> dict[str, str | list[str]]:
    """Those of a corpus's splits that are files of their own, one or several."""
    named = {name: splits[name] for name in ("test", "valid", "train")}  # in the order in which texts are looked for
    return {name: split for name, split in named.items() if isinstance(split, str | list) and split != "sentences"}


def contained(phrases: Sequence[str], rows: Sequence[str], *, longer_only: bool) -> np.ndarray:
    """Whether each phrase is, word for word, in some row: booleans (len(phrases),).

    Words are what blanks separate. With `longer_only`, a row equal to the phrase does not count.
    A phrase is looked for only in the rows that hold its rarest word, which keeps 67,349 phrases
    against as many rows at about a second.
    """
    padded = [f" {row} " for row in rows]
    frequency = Counter(word for row in rows for word in set(row.split(" ")))
    rows_with = defaultdict(list)
    for row in sorted(padded, key=len, reverse=True):  # a phrase is found soonest in the longest rows
        for word in set(row[1:-1].split(" ")):
            rows_with[word].append(row)

    def is_contained(phrase: str) -> bool:
        rarest = min(phrase.split(" "), key=frequency.__getitem__)
        wanted = f" {phrase} "
        shortest = len(wanted) + longer_only
        return any(wanted in row for row in rows_with.get(rarest, ()) if len(row) >= shortest)

    return np.array([is_contained(phrase) for phrase in phrases], dtype=bool)


def hold_out_sentences(
    texts: Sequence[str], *, rows: int, min_words: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions of the rows to train on, of `rows` whole sentences to validate on, and of the sentences' parts.

    A sentence is a text contained in no longer text; only those of at least `min_words` words are drawn.
    Every other text contained in a drawn sentence is a part and leaves the training rows, so that nothing
    of a validation sentence is seen in training.

    Raises:
        ValueError: fewer than `rows` sentences are long enough.
    """
    first_of = {}
    for position, text in enumerate(texts):
        first_of.setdefault(text, position)
    distinct = list(first_of)
    sentences = [
        text
        for text, inside in zip(distinct, contained(distinct, distinct, longer_only=True), strict=True)
        if not inside
    ]
    candidates = [text for text in sentences if len(text.split(" ")) >= min_words]
    if len(candidates) < rows:
        raise ValueError(f"{len(candidates)} sentences have at least {min_words} words, {rows} are to be held out")
    drawn = np.random.default_rng(seed).choice(len(candidates), size=rows, replace=False)
    held_out = [candidates[index] for index in sorted(drawn)]
    inside = contained(texts, held_out, longer_only=False)
    valid = np.array([first_of[text] for text in held_out])
    return np.flatnonzero(~inside), valid, np.setdiff1d(np.flatnonzero(inside), valid)


def hold_out_share(rows: pd.DataFrame, fraction: float, seed: int, stratified: bool = True) -> np.ndarray:
    """Which rows are drawn: booleans (N,), of which a fraction is true; if stratified, the fraction of every class.

    Rows with the same text or of the same group stay together; a row without a group is a group of its own. So shares
    can fall short of the fraction. If stratified, a class that would get no row gets the smallest group that has one.

    Raises:
        ValueError: the groups are so large that none can be drawn, or all are.
    """
    cluster = clusters(rows)
    of_class = rows["label"].to_numpy() if stratified else np.zeros(len(rows), dtype=int)
    sizes = np.zeros((1 + cluster.max(), 1 + of_class.max()), dtype=int)  # of a cluster, its rows of each class
    np.add.at(sizes, (cluster, of_class), 1)
    wanted = np.rint(fraction * sizes.sum(axis=0)).astype(int)
    drawn = np.zeros(len(sizes), dtype=bool)
    order = np.random.default_rng(seed).permutation(len(sizes))
    for candidate in order:
        if (sizes[candidate] <= wanted).all():
            drawn[candidate] = True
            wanted -= sizes[candidate]
    for of_one in sizes.T if stratified else ():
        if of_one.any() and not of_one[drawn].any():  # a fraction of few rows, or rows in large groups
            holders = order[of_one[order] > 0]
            drawn[holders[sizes[holders].sum(axis=1).argmin()]] = True
    if not drawn.any() or drawn.all():
        raise ValueError(f"{len(rows)} rows in {len(sizes)} groups cannot give a fraction of {fraction}")
    return drawn[cluster]


def warn_of_gaps(groups: pd.Series, file: str, column: str) -> None:
    """Print how many rows have no group, and how many one whose name other programs write for a gap."""
    for word in ["", *groups[groups.str.lower().isin(GAPS)].unique()]:
        found, done = (f"{column!r} {word!r}", "that is one group; if it means a gap, leave it empty")
        if not word:
            found, done = f"no {column!r}", "each is a group of its own"
        if count := int((groups == word).sum()):
            which = f"{count:,} of {len(groups):,} rows of {file} have {found}"
            print(f"warning: {which} (splits.group_by in corpora/); {done}", file=sys.stderr)


def clusters(rows: pd.DataFrame) -> np.ndarray:
    """The number of each row's cluster, (N,): rows that share a text or a group are in one, also through others."""
    of_text = pd.factorize(rows["text"])[0]
    of_group = of_text
    if "group" in rows:
        of_group = pd.factorize(rows["group"])[0]
        gaps = (rows["group"] == "").to_numpy()
        of_group[gaps] = 1 + of_group.max() + np.arange(gaps.sum())
    size = 1 + max(of_text.max(), of_group.max())
    links = coo_array((np.ones(len(rows), dtype=bool), (of_text, size + of_group)), shape=(2 * size, 2 * size))
    return np.unique(connected_components(links, directed=False)[1][of_text], return_inverse=True)[1]


def share_sizes(rows: pd.DataFrame, **share: float) -> dict[str, int]:
    """How many rows stay in `train` and how many become `valid` where a share of them is drawn by their texts alone.

    Raises:
        InputError: none can be drawn, or all are.
    """
    try:
        drawn = int(hold_out_share(rows[["text", "label"]], **share).sum())
    except ValueError as error:
        raise InputError(f"splits.notebook: {error}; give another fraction") from None
    return {"train": len(rows) - drawn, "valid": drawn}
