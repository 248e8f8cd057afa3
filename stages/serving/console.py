"""Texts from a person, as arguments or as lines of a stream of any length, and what is printed for them."""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from stages.common.command import InputError

LONGEST = 100_000  # characters of a text
CHUNK_TEXTS, CHUNK_CHARACTERS = 4096, 1 << 20
LONGEST_LINE = 4 * LONGEST + 5  # bytes: four for each character, a byte order mark, \r\n
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")  # control a terminal or reverse a line
SURROGATES = re.compile("[\ud800-\udfff]")  # Python has these for bytes of an argument that are not UTF-8


def read_texts(arguments: list[str], file: Path | None) -> Iterator[str]:
    """The arguments if there are any, otherwise the lines of a file or of standard input but for blank ones at its end.

    Raises:
        InputError: there are no texts, or a text is empty, longer than `LONGEST` or not UTF-8.
    """
    if arguments:  # all are looked at before the first is scored
        yield from [checked(text, f"text {number}") for number, text in enumerate(arguments, 1)]
    elif file:
        with file.open("rb") as stream:
            yield from read_lines(stream, str(file))
    elif sys.stdin.isatty():
        raise InputError("there are no texts to score; give them as arguments, with --file or on standard input")
    else:
        yield from read_lines(sys.stdin.buffer, "standard input")


def read_lines(stream: BinaryIO, name: str) -> Iterator[str]:
    number, texts, blank = 0, 0, 0  # lines, texts among them, and the first of the blank lines since the last text
    while line := stream.readline(LONGEST_LINE):  # a line that never ends must not fill the memory
        number += 1
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            if len(line) <= 4 * LONGEST:
                raise InputError(f"{name}, line {number}: the text is not UTF-8; save the file as UTF-8") from None
            text = " " * LONGEST + "…"
        if not text.strip() and len(text) <= LONGEST:
            blank = blank or number
            continue
        if blank:  # scores are matched with lines, so that none can be skipped
            raise empty(f"{name}, line {blank}")
        yield checked(text.rstrip("\r\n"), f"{name}, line {number}")
        texts += 1
    if blank and not texts:
        raise empty(f"{name}, line {blank}")


def checked(text: str, place: str) -> str:
    if len(text) > LONGEST:
        raise InputError(f"{place}: the text has more than {LONGEST:,} characters; shorten it")
    if not text.strip():
        raise empty(place)
    if SURROGATES.search(text):
        raise InputError(f"{place}: the text is not UTF-8; give it as UTF-8")
    return text


def empty(place: str) -> InputError:
    return InputError(f"{place}: the text is empty; write something or remove it")


def chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    """The texts in lists of at most CHUNK_TEXTS, or fewer where they are long; those before a fault come first."""
    chunk, characters, fault = [], 0, None
    texts = iter(texts)
    while fault is None:
        try:
            text = next(texts)
        except (StopIteration, InputError) as end:
            fault = end
        else:
            chunk.append(text)
            characters += len(text)
        if chunk and (fault or len(chunk) == CHUNK_TEXTS or characters >= CHUNK_CHARACTERS):
            yield chunk
            chunk, characters = [], 0
    if isinstance(fault, InputError):
        raise fault


def named(probabilities: np.ndarray, labels: list[str], digits: int) -> dict:
    """With two classes the `probability` of the last one, with more the `probabilities` of all by their names."""
    rounded = [round(float(probability), digits) for probability in probabilities]
    return (
        {"probability": rounded[-1]} if len(labels) == 2 else {"probabilities": dict(zip(labels, rounded, strict=True))}
    )


def show(text: str, probabilities: np.ndarray, labels: list[str]) -> None:
    """Print a text with its predicted class and a probability: a row on a terminal, otherwise a JSON line.

    With two classes it is the probability of the last one. With more, a row has the predicted class's probability, a
    JSON line has all.
    """
    chosen = int(probabilities.argmax())
    if sys.stdout.isatty():
        label, text = (CONTROLS.sub(lambda control: repr(control[0])[1:-1], part) for part in (labels[chosen], text))
        print(f"{label:10} {probabilities[-1 if len(labels) == 2 else chosen]:.3f}  {text}")
    else:
        row = {"text": text, "label": labels[chosen], **named(probabilities, labels, 6)}
        print(json.dumps(row, ensure_ascii=False))
