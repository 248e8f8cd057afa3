"""Texts as a person gives them, one at a time: arguments, or lines of a stream of any length."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from stages.lib.command import InputError

LONGEST = 100_000  # characters of a text
CHUNK_TEXTS, CHUNK_CHARACTERS = 4096, 1 << 20


def read_texts(arguments: list[str], file: Path | None) -> Iterator[str]:
    """The arguments if there are any, else the lines of a file or of standard input.

    Raises:
        InputError: there is nothing to read, or a text is empty, longer than `LONGEST` or not UTF-8.
    """
    if arguments:
        for number, text in enumerate(arguments, 1):
            yield checked(text, f"text {number}")
    elif file:
        with file.open("rb") as stream:
            yield from read_lines(stream, str(file))
    elif sys.stdin.isatty():
        raise InputError("there is no text to score; give some as arguments, with --file or on standard input")
    else:
        yield from read_lines(sys.stdin.buffer, "standard input")


def read_lines(stream: BinaryIO, name: str) -> Iterator[str]:
    number = 0
    while line := stream.readline(4 * LONGEST + 2):  # a line without an end must not fill the memory
        number += 1
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            if len(line) <= 4 * LONGEST:
                raise InputError(f"{name}, line {number}: not UTF-8; save it as UTF-8") from None
            text = " " * LONGEST + "…"
        yield checked(text.rstrip("\r\n"), f"{name}, line {number}")


def checked(text: str, place: str) -> str:
    if len(text) > LONGEST:
        raise InputError(f"{place}: the text has more than {LONGEST:,} characters; cut it")
    if not text.strip():
        raise InputError(f"{place}: the text is empty; give it words or remove it")
    return text


def chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    """Lists of texts of bounded size."""
    chunk, characters = [], 0
    for text in texts:
        chunk.append(text)
        characters += len(text)
        if len(chunk) == CHUNK_TEXTS or characters >= CHUNK_CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk
