"""How texts are split into words."""

import re
from collections.abc import Callable, Sequence
from functools import cache, lru_cache, partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stages.text.vocabulary import SPECIAL_TOKENS
from stages.training.inputs import UNKNOWN

ABBREVIATIONS = ("mr", "mrs", "ms", "dr", "jr", "vs", "etc", "inc", "co", "bros", "no", "al", "sept", "wash")
TYPOGRAPHY = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "…": "..."})
OPENING_QUOTE = re.compile(r'(?<![^\s([])"')
# What the Penn Treebank separates from a lower-case word: clitics, brackets, punctuation, a sentence's full stop.
CUT = rf"""(?<=\w) (?: n't | '(?:s|re|ve|ll|d|m) ) (?= [.,!?;:)\]']* (?!\S))
      | [()\[\]]
      | (?<=[\w)\]'.]) (?: (?<!\.)\.\.\.+ | [,!?;:]+ ) (?= [)\]']* (?!\S))
      | (?<=[a-z][a-z]) {"".join(rf"(?<!{chr(92)}b{word})" for word in ABBREVIATIONS)} \. (?= [)\]']* (?!\S))
"""
CUT_AT_END = rf"{CUT} | (?<=\d) \. (?= [)\]']* $)"  # the full stop after a number, too


def split_words(texts: Sequence[str] | pa.Array, tokenizer: str) -> pa.ListArray:
    """The words of each text, by a tokenizer; a text without any has one, the unknown word.

    tokenizer:
        `blanks`: split at every blank, for texts that are tokenized already; between two blanks is an empty word.
        `treebank`: lower-case words as the Penn Treebank writes them (https://aclanthology.org/J93-2004). SST-2's rows
            have this form and stay as they are; a text that a person types gets the same form.
        `raw_text`: for texts as people write them: HTML breaks removed, lower case, punctuation separate, and so is
            each Chinese character, as in BERT (https://arxiv.org/abs/1810.04805): Chinese has no blanks between words.
    """
    texts = pa.array(texts, pa.large_string())
    if isinstance(texts, pa.ChunkedArray):  # as pandas has them
        texts = texts.combine_chunks()
    texts = pc.utf8_trim_whitespace(texts)
    if tokenizer == "blanks":
        return pc.split_pattern(pc.replace_substring(texts, "\n", " "), " ").cast(pa.list_(pa.string()))
    if tokenizer == "raw_text":
        texts = pc.replace_substring(texts, "<br />", " ")
    pieces = pc.split_pattern(texts, " ")
    encoded = pieces.flatten().dictionary_encode()  # most pieces occur many times: each is split once
    distinct, codes = encoded.dictionary.to_pylist(), encoded.indices.to_numpy().copy()
    last = pieces.offsets.to_numpy()[1:] - 1
    last_codes, codes[last] = np.unique(codes[last], return_inverse=True)
    codes[last] += len(distinct)
    cut_piece, cut_last_piece = cutters(tokenizer)
    words_of_pieces = [*map(cut_piece, distinct), *(cut_last_piece(distinct[code]) for code in last_codes)]
    words_of_pieces.append([SPECIAL_TOKENS[UNKNOWN]])
    numbers = np.array([len(words) for words in words_of_pieces])
    wordless = np.diff(np.cumsum(numbers[codes])[last], prepend=0) == 0
    codes[last[wordless]] = len(words_of_pieces) - 1
    ends = np.cumsum(numbers[codes])[last]  # of each text among all words
    words = pa.array(words_of_pieces, pa.list_(pa.string())).take(pa.array(codes)).flatten()
    return pa.ListArray.from_arrays(pa.array([0, *ends], pa.int32()), words)


Cutter = Callable[[str], list[str]]  # text without blanks → its words
LONGEST_KEPT = 50  # characters; longer pieces are rare, and remembering their words would fill the memory


@cache
def cutters(tokenizer: str) -> tuple[Cutter, Cutter]:
    """Functions that split a piece of a text into words, and the last piece of a text."""
    if tokenizer == "raw_text":
        cut_raw = remembered(raw_text_cutter())
        return cut_raw, cut_raw
    return tuple(remembered(partial(cut_treebank, re.compile(cut, re.VERBOSE))) for cut in (CUT, CUT_AT_END))


def remembered(cut: Cutter) -> Cutter:
    kept = lru_cache(maxsize=1 << 16)(cut)
    return lambda piece: kept(piece) if len(piece) <= LONGEST_KEPT else cut(piece)


def cut_treebank(cut: re.Pattern, piece: str) -> list[str]:
    piece = OPENING_QUOTE.sub(" `` ", piece.lower().translate(TYPOGRAPHY)).replace('"', " '' ")
    return cut.sub(separated, piece).split()


def separated(cut: re.Match) -> str:
    return f" {' '.join(cut[0]) if cut[0][0] in '!?,;:' else cut[0]} "


def raw_text_cutter() -> Cutter:
    from tokenizers import normalizers, pre_tokenizers

    chinese_apart = normalizers.BertNormalizer(
        clean_text=False, handle_chinese_chars=True, strip_accents=False, lowercase=False
    )
    normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase(), chinese_apart])
    pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return lambda piece: [word for word, _ in pre_tokenizer.pre_tokenize_str(normalizer.normalize_str(piece))]
