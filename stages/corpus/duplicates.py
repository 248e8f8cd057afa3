"""Texts that occur more than once: a model must not be scored on texts that it was trained on."""

import sys
from collections import Counter

import numpy as np
import pandas as pd

from stages.common.command import InputError

# The splits that must not share texts with a split. Parts of validation sentences are not trained on while choosing.
KEPT_APART_FROM = {"test": (), "valid": ("test",), "valid_parts": ("test",), "train": ("test", "valid")}


class Repeated:
    """Finds repeated texts, split by split in the order above, by 64-bit hashes, so that memory stays small.

    what_to_do: `keep` counts them, `drop` leaves them out of the later split, `refuse` makes them an error;
        `keep_first` also leaves out texts of an earlier row of the same split.
    """

    def __init__(self, what_to_do: str):
        self.what_to_do = what_to_do
        self.seen = {split: [] for split in KEPT_APART_FROM}  # hashes by blocks
        self.counts = Counter()

    def look_at(self, split: str, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows of a block that are kept.

        Raises:
            InputError: a text is repeated, and `what_to_do` is `refuse`.
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
                f"{rows['id'][repeated].iloc[0]}: the text is also in {elsewhere(split)}; remove it, "
                "or set splits.repeated to drop or keep in corpora/"
            )
        self.counts[split] += int(repeated.sum())
        return rows if self.what_to_do == "keep" else rows[~repeated]

    def warn(self) -> None:
        """Print how many there were."""
        done = "kept" if self.what_to_do == "keep" else "left out"
        for split, count in self.counts.items():
            found = f"texts of {split} that are also in {elsewhere(split)}"
            if self.what_to_do == "keep_first":
                found = f"rows of {split} whose text is also in an earlier row"
            print(f"warning: {found}: {count:,}; they are {done} (splits.repeated in corpora/)", file=sys.stderr)


def elsewhere(split: str) -> str:
    return " or ".join(KEPT_APART_FROM[split])
