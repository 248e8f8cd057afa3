"""Words: how texts are cut into them."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from itertools import chain

from stages.lib.vocabulary import SPECIAL_TOKENS, UNKNOWN

LONGEST = 100_000  # characters of a text
ABBREVIATIONS = ("mr", "mrs", "ms", "dr", "jr", "vs", "etc", "inc", "co", "bros", "no", "al", "sept", "wash")
TYPOGRAPHY = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "…": "..."})
OPENING_QUOTE = re.compile(r'(?<![^\s([])"')
# What the Penn Treebank cuts off a lower-case word: clitics, brackets, punctuation, a sentence's full stop.
CUT = rf"""(?<=\w) (?: n't | '(?:s|re|ve|ll|d|m) ) (?= [.,!?;:)\]']* (?!\S))
      | [()\[\]]
      | (?<=[\w)\]'.]) (?: (?<!\.)\.\.\.+ | [,!?;:]+ ) (?= [)\]']* (?!\S))
      | (?<=[a-z][a-z]) {"".join(rf"(?<!{chr(92)}b{word})" for word in ABBREVIATIONS)} \. (?= [)\]']* (?!\S))
"""
CUT_AT_END = rf"{CUT} | (?<=\d) \. (?= [)\]']* $)"  # the full stop behind a number, which may also be its point


def at_blanks(text: str) -> list[str]:
    """Words of a text that is tokenized already, as the notebook cuts SST-2's."""
    return text.strip().replace("\n", " ").split(" ")


def as_treebank(text: str) -> list[str]:
    """Words of a text as the Penn Treebank writes them, lower-cased (https://aclanthology.org/J93-2004).

    SST-2's rows are in this form already and come out as `at_blanks` cuts them, so that a text that a person
    types becomes like one of them.
    """
    *words, last = text.split() or [""]
    if max(map(len, [last, *words])) > LONGEST_KEPT:
        return [*chain.from_iterable(map(cut_word.__wrapped__, words)), *cut_last_word.__wrapped__(last)]
    return [*chain.from_iterable(map(cut_word, words)), *cut_last_word(last)]


def cut(pattern: re.Pattern, word: str) -> list[str]:
    """The parts of what stands between two blanks."""
    word = OPENING_QUOTE.sub(" `` ", word.lower().translate(TYPOGRAPHY)).replace('"', " '' ")
    return pattern.sub(apart, word).split()


# Most words of a text were cut before; those that are none, of thousands of characters, would fill the memory.
LONGEST_KEPT = 50
cut_word = lru_cache(maxsize=1 << 16)(partial(cut, re.compile(CUT, re.VERBOSE)))
cut_last_word = lru_cache(maxsize=1 << 16)(partial(cut, re.compile(CUT_AT_END, re.VERBOSE)))


def apart(cut: re.Match) -> str:
    return f" {' '.join(cut[0]) if cut[0][0] in '!?,;:' else cut[0]} "


def raw_text_splitter() -> Callable[[str], list[str]]:
    """A function from a text as people write it to its words: no HTML breaks, lower case, punctuation apart."""
    from tokenizers import normalizers, pre_tokenizers

    normalizer = normalizers.Sequence([normalizers.Replace("<br />", " "), normalizers.NFKC(), normalizers.Lowercase()])
    pre_tokenizer = pre_tokenizers.BertPreTokenizer()

    def split(text: str) -> list[str]:
        return [word for word, _ in pre_tokenizer.pre_tokenize_str(normalizer.normalize_str(text))]

    return split


def split_words(texts: Sequence[str], tokenizer: str) -> list[list[str]]:
    """The words of each text, by the tokenizer `blanks`, `treebank` or `raw_text`; a text of none has one, unknown."""
    split = {"blanks": at_blanks, "treebank": as_treebank}.get(tokenizer) or raw_text_splitter()
    return [split(text) or [SPECIAL_TOKENS[UNKNOWN]] for text in texts]
