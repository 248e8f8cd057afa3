"""A tokenizer.json that anyone may have written, tried before it is trusted."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Tokenizer

from stages.common.command import InputError
from stages.text.wordpieces import read_tokenizer

TRIAL = "import sys, tokenizers as t; t.Tokenizer.from_file(sys.argv[1]).encode_batch_fast(sys.argv[2:])"
TEXTS = ("", "a text", "Ünïcödé ﬁ ａ z\u0301 你好 עברית ไทย 😀 \U0010fffd")
SECONDS = 60
# Regular expressions that take ever longer are many, so only those are run that tokenizers of encoders have: XLM-R's,
# ALBERT's and DeBERTa's, and EuroBERT's.
EXPRESSIONS = {
    " {2,}",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
}


def check_tokenizer(path: Path, max_length: int, pieces: int) -> Tokenizer:
    """As `read_tokenizer`, of a file that anyone may have written.

    The library runs whatever parts a file names. Some never end (a regular expression) or panic (a table of characters
    that is none), so they are tried in a process of their own first.

    pieces: how many the weights have vectors for.

    Raises:
        InputError: no tokenizer, one that cannot be run, one that does not put one piece before and one behind a text,
            or one with ids that the weights have no vector for.
    """
    again = "fetch the encoder again, or train again"
    try:
        unknown = sorted(set(expressions(json.loads(path.read_text(encoding="utf-8")))) - EXPRESSIONS)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not a tokenizer ({' '.join(str(error).split())[:200]}); {again}") from None
    if unknown:
        raise InputError(f"{path} runs the expression {unknown[0][:80]!r}, which may never end; name another encoder")
    try_in_a_process(path)
    tokenizer = read_tokenizer(path, max_length)
    tried = tokenizer.encode("a text")
    ends = [number for number, is_end in enumerate(tried.special_tokens_mask) if is_end]
    if ends != [0, len(tried) - 1] or any(tried.type_ids):
        raise InputError(f"{path} does not put one piece before a text and one behind it, as encoders have it; {again}")
    for end in ends:
        if tokenizer.id_to_token(tried.ids[end]) != tried.tokens[end]:
            raise InputError(
                f"{path} gives {tried.tokens[end]!r} the id {tried.ids[end]}, which is not its own; {again}"
            )
    highest = max(tokenizer.get_vocab().values())  # there may be gaps below it
    if highest >= pieces:
        raise InputError(f"{path} has {highest + 1} pieces, the weights {pieces}; {again}")
    return tokenizer


def expressions(part: object) -> Iterator[str]:
    """The regular expressions in a tokenizer.json or a part of it."""
    if isinstance(part, dict):
        if isinstance(part.get("Regex"), str):
            yield part["Regex"]
        part = [inner for key, inner in part.items() if key != "vocab"]
    if isinstance(part, list):
        for inner in part:
            if isinstance(inner, dict | list):
                yield from expressions(inner)


def try_in_a_process(path: Path) -> None:
    """
    Raises:
        InputError: the tokenizer cannot be read, or not every text can be tokenized.
    """
    command = [sys.executable, "-c", TRIAL, str(path), *TEXTS]
    try:
        tried = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise InputError(
            f"{path} takes more than {SECONDS} seconds for three short texts; name another encoder"
        ) from None
    if tried.returncode:
        reason = (tried.stderr.strip().splitlines() or [f"status {tried.returncode}"])[-1][:200]
        raise InputError(
            f"{path} is not a tokenizer that can be run ({reason}); fetch the encoder again, or train again"
        )
