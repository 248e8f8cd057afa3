"""Texts that stand more than once: what a model has learned by heart must not be what it is scored on."""

import sys
from collections import Counter

import numpy as np
import pandas as pd

from stages.common.command import InputError

# Where a split's texts must not stand too. The parts of validation sentences are never learned from while choosing.
KEPT_APART_FROM = {"test": (), "valid": ("test",), "valid_parts": ("test",), "train": ("test", "valid")}


class Repeated:
    """Finds them, split after split in the order above, by 64-bit hashes of the texts, so that memory stays small.

    what_to_do: `keep` counts them, `drop` leaves them out of the later split, `refuse` takes them for a fault;
        `keep_first` leaves out what stands in an earlier row of the same split too.
    """

    def __init__(self, what_to_do: str):
        self.what_to_do = what_to_do
        self.seen = {split: [] for split in KEPT_APART_FROM}  # hashes by blocks
        self.counts = Counter()

    def look_at(self, split: str, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows of a block that stay.

        Raises:
            InputError: one stands elsewhere and is not to.
        """
        hashes = pd.util.hash_array(rows["text"].to_numpy(dtype=object), categorize=False)
        once = self.what_to_do == "keep_first"
        others = [block for other in (self.seen if once else KEPT_APART_FROM[split]) for block in self.seen[other]]
        repeated = np.isin(hashes, np.concatenate([hashes[:0], *others]))
        if once:
            repeated |= pd.Series(hashes).duplicated().to_numpy()
        if once or split != "train":
            self.seen[split].append(hashes)
        if not repeated.any():
            return rows
        if self.what_to_do == "refuse":
            raise InputError(
                f"{rows['id'][repeated].iloc[0]}: the text stands in {elsewhere(split)} too; remove it, "
                "or set splits.repeated to drop or keep in corpora/"
            )
        self.counts[split] += int(repeated.sum())
        return rows if self.what_to_do == "keep" else rows[~repeated]

    def warn(self) -> None:
        """Say how many there were."""
        done = "kept" if self.what_to_do == "keep" else "left out"
        for split, count in self.counts.items():
            found = f"texts of {split} that stand in {elsewhere(split)} too"
            if self.what_to_do == "keep_first":
                found = f"rows of {split} whose text stands in an earlier row too"
            print(f"warning: {found}: {count:,}; they are {done} (splits.repeated in corpora/)", file=sys.stderr)


def elsewhere(split: str) -> str:
    return " or ".join(KEPT_APART_FROM[split])
