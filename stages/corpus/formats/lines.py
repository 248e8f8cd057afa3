"""Rows of files with a row a line, JSON or fastText's, each with the number of its line."""

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches

from stages.common.command import InputError
from stages.corpus.formats.cells import text_of_json

Rows = Iterator[tuple[int, list[str]]]  # of some columns, in the order in which these are named
FASTTEXT_LABEL = "__label__"
LOOKED_AT = 10_000  # lines of JSON: a key that none of them has is misspelled
LOOKS_ALIKE = "one looks the same and is written with other Unicode signs"
CONSTANTS = {"Infinity": "Infinity", "-Infinity": "-Infinity"}  # which are not JSON, but written; NaN is a gap


def check_columns(name: str, columns: Iterable[str], found: Sequence[str]) -> None:
    """Each of the columns is there once; others may be called anything, or nothing.

    Raises:
        InputError: one is not, or twice.
    """
    for column in columns:
        if (count := found.count(column)) != 1:
            if count:
                raise InputError(f"{name}, line 1: {count} columns are called {column!r}; rename one")
            known = [str(other)[:40] for other in found][:20]
            close = get_close_matches(column, known, n=1)
            advice = f"did you mean {close[0]!r}?" if close else "name the right one"
            if any(looks_like(column, other) for other in known):
                advice = f"{LOOKS_ALIKE}, so copy it out of the file"
            raise InputError(f"{name} needs one column {column!r} and has {', '.join(map(repr, known))}; {advice}")


def looks_like(one: str, other: str) -> bool:
    """Whether two texts that differ are shown alike, in which é is one sign or two (https://unicode.org/reports/tr15)."""
    return one != other and unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)


class Tail:
    """Blank lines, which are harmless at a file's end and a fault before it."""

    def __init__(self, name: str):
        self.name, self.first = name, None

    def holds(self, line: int, is_blank: bool) -> bool:
        """Whether a line is blank, and may be of the end.

        Raises:
            InputError: it is not, but one before it was.
        """
        if is_blank:
            self.first = self.first or line
        elif self.first:
            raise InputError(f"{self.name}, line {self.first}: the line is blank; remove it, or fill it in")
        return is_blank


def json_rows(name: str, file: Iterable[str], columns: Sequence[str]) -> Rows:
    """As `read_blocks` has it; a key that a row lacks is a gap.

    Raises:
        InputError: a line is not a JSON object, names one of the columns twice, or holds what is not text in it; or
            none of the first `LOOKED_AT` lines names it.
    """
    tail, known = Tail(name), {}
    decoder = json.JSONDecoder(
        parse_int=str, parse_float=str, parse_constant=CONSTANTS.get, object_pairs_hook=object_of
    )  # numbers stay as they are written
    line = 0
    for line, content in enumerate(file, 1):
        if tail.holds(line, not content.strip()):
            continue
        try:
            row = decoder.decode(content)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{name}, line {line}: not JSON ({error}); every line needs one object") from None
        if not isinstance(row, dict):
            raise InputError(f"{name}, line {line}: {content.strip()[:40]!r} is not an object; every line needs one")
        for column in columns:
            if isinstance(row, Repeating) and row.counts[column] > 1:
                raise InputError(f"{name}, line {line}: the key {column!r} is there twice; remove one")
        if line <= LOOKED_AT:
            known |= dict.fromkeys(row)
        if line == LOOKED_AT:
            check_columns(name, columns, list(known))
        yield line, [text_of_json(row.get(column), f"{name}, line {line}: {column!r}") for column in columns]
    if 0 < line < LOOKED_AT and known:
        check_columns(name, columns, list(known))


class Repeating(dict):
    """A JSON object with a key that is there twice, of which `json` would keep the last."""

    def __init__(self, pairs: Sequence[tuple[str, object]]):
        super().__init__(pairs)
        self.counts = Counter(key for key, _ in pairs)


def object_of(pairs: Sequence[tuple[str, object]]) -> dict:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Repeating(pairs)


def fasttext_rows(name: str, file: Iterable[str], columns: Sequence[str]) -> Rows:
    """Lines `__label__x text` as label x and the text.

    Raises:
        InputError: a line has no label, or several.
    """
    tail = Tail(name)
    for line, content in enumerate(file, 1):
        if tail.holds(line, not content.strip()):
            continue
        first, text = (*content.split(None, 1), "")[:2]
        labels = [word for word in content.split() if word.startswith(FASTTEXT_LABEL)]
        if labels[:1] != [first] or len(labels) > 1:
            found = "several labels" if len(labels) > 1 else "no label at its beginning"
            raise InputError(
                f"{name}, line {line}: {found}, expected {FASTTEXT_LABEL}<label> and a text; correct or remove the line"
            )
        row = {"label": first.removeprefix(FASTTEXT_LABEL), "text": text}
        yield line, [row[column] for column in columns]
