"""Wordpieces: the units of BERT's vocabulary (https://arxiv.org/abs/1609.08144)."""

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer

from stages.common.command import InputError

SPECIAL_PIECES = ("[CLS]", "[SEP]", "[PAD]", "[UNK]")


def read_tokenizer(path: Path, max_length: int | None = None) -> Tokenizer:
    """The fast tokenizer in a `tokenizer.json`; it keeps `max_length` pieces of a text, [CLS] and [SEP] among them.

    Raises:
        InputError: the file is no tokenizer, or its special pieces are not BERT's.
    """
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise InputError(f"{path} is no tokenizer ({error}); fetch the encoder again") from None
    if lacking := [piece for piece in SPECIAL_PIECES if tokenizer.token_to_id(piece) is None]:
        raise InputError(f"{path} has no piece {lacking[0]}, so it is no BERT's; name another encoder in params.yaml")
    tokenizer.no_padding()
    tokenizer.no_truncation()
    if max_length:
        tokenizer.enable_truncation(max_length)
    return tokenizer


def encode(tokenizer: Tokenizer, texts: Iterable[str]) -> list[list[int]]:
    """The ids of each text's pieces, [CLS] before and [SEP] behind them."""
    return [encoding.ids for encoding in tokenizer.encode_batch_fast(list(texts))]
