"""Which classes the labels of a person's table are."""

import re
import shlex
import unicodedata
from collections import Counter
from pathlib import Path

from maintenance.corpus_files import NUMBER
from stages.common.command import InputError
from stages.corpus.formats.cells import WHOLE
from stages.corpus.tables import read_blocks

MOST_CLASSES = 50  # more are not classes but numbers, or texts
FEWEST_ROWS = 10  # of a class: one of them is valid's
MOST_NAMED = 5  # labels in a message


def count_labels(
    tables: list[Path], columns: list[str], label: str, format: dict[str, str], left_out: list[str]
) -> tuple[Counter, dict[str, list[str]], Counter]:
    """How many rows have each value of the label's column, under each value all that are written like it, and how many
    rows have each value that is left out, as it is written.

    Values that differ in case, in a whole number's point or in what nobody sees are one, the most frequent of them.

    Raises:
        InputError: a column is not there, a label is empty, one to leave out is not there, or these are not classes to
            learn.
    """
    found, unwanted = Counter(), {plain(value): value for value in left_out}
    for table in tables:
        for block in read_blocks(table, columns, **format):
            values = block[label]
            if "" not in unwanted and (is_empty := values.str.strip() == "").any():
                place = f"{table.name}, line {is_empty.idxmax()}"
                raise InputError(f"{place}: the label is empty; fill it in, or leave such rows out with LEFT_OUT=")
            found.update(values)
    if not found:
        raise InputError(f"{table.name} has no rows; give it some")
    forms = {}
    for value, _ in found.most_common():
        forms.setdefault(plain(value), []).append(value)
    for key, value in unwanted.items():
        if key not in forms:
            raise InputError(f"LEFT_OUT names {value!r}, and {table.name} has no such {label!r}; correct it")
    unwanted = Counter({value: found[value] for key in unwanted for value in forms.pop(key)})
    forms = {written[0]: written for written in forms.values()}
    counts = Counter({value: sum(found[form] for form in written) for value, written in forms.items()})
    check_classes(table.name, label, counts, left_out)
    return counts, forms, unwanted


def plain(value: str) -> str:
    """What values that are one class have in common."""
    return re.sub(WHOLE, r"\1", as_shown(value).casefold())


def as_shown(value: str) -> str:
    """Without what nobody sees: blanks at the ends, signs without a width, and how é is written."""
    seen = "".join(sign for sign in value if unicodedata.category(sign) != "Cf")
    return unicodedata.normalize("NFC", seen).strip()


def check_classes(table: str, label: str, counts: Counter, left_out: list[str]) -> None:
    if not counts:
        raise InputError(f"{table} has no rows but those that LEFT_OUT names; name fewer labels")
    if len(counts) == 1:
        raise InputError(f"{table}: every {label!r} is {min(counts)!r}; two classes or more are needed")
    advice = "name a column of classes as LABEL"
    if all(map(NUMBER.fullmatch, counts)):
        cut_points = "write a corpora/<name>.yaml in which labels has cut points, such as {below: 3}"
        advice = f"{cut_points}, as docs/own-data.md shows"
    if len(counts) > MOST_CLASSES:
        found = f"{len(counts):,} different values, more than {MOST_CLASSES} classes"
        raise InputError(f"{table}: the column {label!r} holds {found}; {advice}")
    if rare := [value for value, rows in reversed(counts.most_common()) if rows < FEWEST_ROWS]:
        each = ", ".join(f"{value[:40]!r} ({counts[value]})" for value in rare[:MOST_NAMED])
        each += f" and {len(rare) - MOST_NAMED} others" if len(rare) > MOST_NAMED else ""
        if len(rare) <= MOST_NAMED and not any("," in value for value in rare):  # a comma separates labels there
            advice = f"leave them out with LEFT_OUT={shlex.quote(','.join([*left_out, *rare]))}, or {advice}"
        found = f"the splits need {FEWEST_ROWS} rows of every class, and {label!r} has too few of {each}"
        raise InputError(f"{table}: {found}; add rows, or {advice}")
