"""Wordpieces: the units of an encoder's vocabulary (https://arxiv.org/abs/1609.08144, https://arxiv.org/abs/1808.06226)."""

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer

from stages.common.command import InputError

# As tokenizers call what they put around a text, what fills a batch, and what they do not know.
SPECIAL_PIECES = ("[CLS]", "[SEP]", "[PAD]", "[UNK]", "<s>", "</s>", "<pad>", "<unk>")
UNKNOWN = ("[UNK]", "<unk>")


def read_tokenizer(path: Path, max_length: int | None = None) -> Tokenizer:
    """The fast tokenizer in a `tokenizer.json`; it keeps `max_length` pieces of a text, those around it among them.

    Raises:
        InputError: the file is not a tokenizer.
    """
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise InputError(f"{path} is not a tokenizer ({error}); fetch the encoder again") from None
    tokenizer.no_padding()
    tokenizer.no_truncation()
    if max_length:
        tokenizer.enable_truncation(max_length)
    return tokenizer


def special_pieces(tokenizer: Tokenizer) -> dict[str, int]:
    """Ids of the special pieces that a tokenizer has."""
    ids = {piece: tokenizer.token_to_id(piece) for piece in SPECIAL_PIECES}
    return {piece: number for piece, number in ids.items() if number is not None}


def encode(tokenizer: Tokenizer, texts: Iterable[str]) -> list[list[int]]:
    """The ids of each text's pieces, with one before them and one behind, such as [CLS] and [SEP]."""
    return [encoding.ids for encoding in tokenizer.encode_batch_fast(list(texts))]


def unknown_pieces(tokenizer: Tokenizer, texts: Iterable[list[int]]) -> int:
    """How many of the texts' ids are the one that a tokenizer gives what it has no piece for."""
    unknown = {number for piece, number in special_pieces(tokenizer).items() if piece in UNKNOWN}
    return sum(piece in unknown for pieces in texts for piece in pieces)
