"""Which class a row is of: the one that its label's value stands for, or the one in whose range its rating lies."""

import numpy as np
import pandas as pd

from stages.common.command import InputError

NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
NO_CLASS = -1  # of a rating between the ranges


class Values:
    """Classes of a file whose name messages call, by their values in it."""

    def __init__(self, name: str, labels: dict[str, str]):
        self.name, self.values = name, list(labels.values())

    def numbers(self, found: pd.Series) -> pd.Series:
        """The number of each value's class; an index of lines goes with them.

        Raises:
            InputError: a value of no class.
        """
        numbers = pd.Series(pd.Index(self.values).get_indexer(found), index=found.index)
        if (numbers < 0).any():
            line, expected = (numbers < 0).idxmax(), " or ".join(map(repr, self.values))
            raise InputError(
                f"{self.name}, line {line}: the label is {found[line][:40]!r}, expected {expected}; mend one of the two"
            )
        return numbers

    def without(self, number: int) -> InputError:
        """That the file holds no row of a class."""
        return InputError(
            f"{self.name} has no row with the label {self.values[number]!r}; every file needs rows of every class"
        )


class Ranges:
    """Likewise by ranges of numbers, of whose ends only `from` and `to` belong to them."""

    def __init__(self, name: str, labels: dict[str, dict[str, float]]):
        self.name, self.ranges = name, labels
        self.smallest, self.largest = np.inf, -np.inf

    def numbers(self, found: pd.Series) -> pd.Series:
        """As `Values` has it, and `NO_CLASS` between the ranges.

        Raises:
            InputError: a value that is no finite number.
        """
        ratings = found.where(found.str.fullmatch(NUMBER), "nan").to_numpy(dtype=object).astype(float)
        if not np.isfinite(ratings).all():
            line = found.index[np.isfinite(ratings).argmin()]
            raise InputError(
                f"{self.name}, line {line}: the rating is {found[line][:40]!r}, expected a number such as 3 or -0.5; "
                "mend it or remove the row"
            )
        self.smallest, self.largest = min(self.smallest, ratings.min()), max(self.largest, ratings.max())
        inside = [is_inside(ratings, **ends) for ends in self.ranges.values()]
        return pd.Series(np.select(inside, range(len(inside)), NO_CLASS), index=found.index)

    def without(self, number: int) -> InputError:
        """As `Values` has it."""
        return InputError(
            f"{self.name} has no row of the class {list(self.ranges)[number]!r}, as its ratings go from "
            f"{self.smallest:g} to {self.largest:g}; move the cut points under labels in corpora/"
        )


def is_inside(ratings: np.ndarray, **ends: float) -> np.ndarray:
    compare = {"above": np.greater, "from": np.greater_equal, "below": np.less, "to": np.less_equal}
    return np.logical_and.reduce([compare[end](ratings, number) for end, number in ends.items()])


def classes_of(name: str, labels: dict[str, str | dict[str, float]]) -> Values | Ranges:
    """What `labels` in corpora/ says of a file."""
    kind = Values if all(isinstance(described, str) for described in labels.values()) else Ranges
    return kind(name, labels)
