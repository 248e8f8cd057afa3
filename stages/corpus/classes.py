"""Which class a row is of: the one whose values have its label, or the one in whose range its rating lies."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from stages.common.command import InputError
from stages.corpus.formats.lines import LOOKS_ALIKE, looks_like

NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
NO_CLASS = -1  # of a rating between the ranges, or a label that is left out

Described = str | int | list[str | int]  # a value of a class, or several


class Values:
    """Classes by their values in a file.

    ignored: differences that do not count, `case` or `blanks` at the ends.
    """

    def __init__(self, labels: dict[str, Described], left_out: Collection[str | int], ignored: Collection[str]):
        self.ignored = ignored
        self.values = {
            str(value): number for number, of_class in enumerate(labels.values()) for value in every(of_class)
        }
        self.values |= {str(value): NO_CLASS for value in left_out}
        self.numbers_of = self.under(self.ignored)

    def under(self, ignored: Collection[str]) -> dict[str, int]:
        return dict(zip(without(pd.Series(list(self.values), dtype=str), ignored), self.values.values(), strict=True))

    def numbers(self, name: str, found: pd.Series) -> pd.Series:
        """The number of each value's class, or `NO_CLASS` where it is left out; an index of lines goes with them.

        Raises:
            InputError: a value of no class; the message calls the file `name`.
        """
        positions = pd.Index(list(self.numbers_of)).get_indexer(without(found, self.ignored))
        if (positions < 0).any():
            raise self.unknown(f"{name}, line {found.index[positions.argmin()]}", found.iloc[positions.argmin()])
        return pd.Series(np.array(list(self.numbers_of.values()))[positions], index=found.index)

    def unknown(self, place: str, value: str) -> InputError:
        alike = without(pd.Series([value], dtype=str), ("case", "blanks")).iloc[0]
        if alike in self.under(("case", "blanks")):
            return InputError(
                f"{place}: the label is {value[:40]!r}, which differs from an expected one in case or in blanks at its "
                "ends; correct it, or set ignore_in_labels to [case, blanks] under format in corpora/"
            )
        if any(looks_like(value, other) for other in self.values):
            return InputError(
                f"{place}: the label is {value[:40]!r}; of the expected, {LOOKS_ALIKE}; copy it out of the file as "
                "another value of its class: [a, b]"
            )
        expected = " or ".join(map(repr, self.values))
        return InputError(
            f"{place}: the label is {value[:40]!r}, expected {expected[:400]}; correct one of the two, or name it "
            "under splits.left_out in corpora/ to leave such rows out"
        )

    def lacking(self, name: str, number: int) -> InputError:
        """That a file holds no row of a class."""
        values = [value for value, of_class in self.values.items() if of_class == number]
        expected = " or ".join(map(repr, values))
        return InputError(f"{name} has no row with the label {expected}; every file needs rows of every class")


class Ranges:
    """Likewise by ranges of numbers, of whose ends only `from` and `to` belong to them."""

    def __init__(self, labels: dict[str, dict[str, float]], left_out: Collection[str | int], ignored: Collection[str]):
        self.ranges, self.ignored = labels, ignored
        self.left_out = without(pd.Series(map(str, left_out), dtype=str), ignored)
        self.smallest, self.largest = np.inf, -np.inf

    def numbers(self, name: str, found: pd.Series) -> pd.Series:
        """As `Values` has it, and `NO_CLASS` between the ranges.

        Raises:
            InputError: a value that is not a finite number, nor left out.
        """
        is_left_out, written = without(found, self.ignored).isin(self.left_out), found.str.strip()
        ratings = written.where(written.str.fullmatch(NUMBER), "nan").to_numpy(dtype=object).astype(float)
        is_fault = ~np.isfinite(ratings) & ~is_left_out.to_numpy()
        if is_fault.any():
            line = found.index[is_fault.argmax()]
            raise InputError(
                f"{name}, line {line}: the rating is {written[line][:40]!r}, expected a number such as 3 or -0.5; "
                "correct it, remove the row, or name it under splits.left_out in corpora/"
            )
        ratings[is_left_out] = np.nan
        self.smallest = np.fmin.reduce(ratings, initial=self.smallest)
        self.largest = np.fmax.reduce(ratings, initial=self.largest)
        inside = [is_inside(ratings, **ends) for ends in self.ranges.values()]
        return pd.Series(np.select(inside, range(len(inside)), NO_CLASS), index=found.index)

    def lacking(self, name: str, number: int) -> InputError:
        """As `Values` has it."""
        if self.smallest > self.largest:
            return InputError(f"{name} has no rating, as all are left out; change splits.left_out in corpora/")
        return InputError(
            f"{name} has no row of the class {list(self.ranges)[number]!r}, as its ratings go from "
            f"{self.smallest:g} to {self.largest:g}; move the cut points under labels in corpora/"
        )


def every(described: Described) -> list[str | int]:
    """The values of a class, of which there may be one."""
    return described if isinstance(described, list) else [described]


def without(values: pd.Series, ignored: Collection[str]) -> pd.Series:
    """Values without differences that do not count."""
    values = values.str.strip() if "blanks" in ignored else values
    return values.str.casefold() if "case" in ignored else values


def is_inside(ratings: np.ndarray, **ends: float) -> np.ndarray:
    compare = {"above": np.greater, "from": np.greater_equal, "below": np.less, "to": np.less_equal}
    return np.logical_and.reduce([compare[end](ratings, number) for end, number in ends.items()])


def classes_of(
    labels: dict[str, Described | dict[str, float]], left_out: Collection[str | int] = (), ignored: Collection[str] = ()
) -> Values | Ranges:
    """What `labels`, `splits.left_out` and `format.ignore_in_labels` in corpora/ say."""
    kind = Ranges if all(isinstance(described, dict) for described in labels.values()) else Values
    return kind(labels, left_out, ignored)
