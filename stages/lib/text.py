"""Words: how texts are cut into them."""

from collections.abc import Callable, Sequence

from stages.lib.vocabulary import SPECIAL_TOKENS, UNKNOWN


def at_blanks(text: str) -> list[str]:
    """Words of a text that is tokenized already, such as SST-2's, as the notebook cuts them."""
    return text.strip().replace("\n", " ").split(" ")


def raw_text_splitter() -> Callable[[str], list[str]]:
    """A function from a text as people write it to its words: no HTML breaks, lower case, punctuation apart."""
    from tokenizers import normalizers, pre_tokenizers

    normalizer = normalizers.Sequence([normalizers.Replace("<br />", " "), normalizers.NFKC(), normalizers.Lowercase()])
    pre_tokenizer = pre_tokenizers.BertPreTokenizer()

    def split(text: str) -> list[str]:
        return [word for word, _ in pre_tokenizer.pre_tokenize_str(normalizer.normalize_str(text))]

    return split


def split_words(texts: Sequence[str], tokenizer: str) -> list[list[str]]:
    """The words of each text; `tokenizer` is `blanks` or `raw_text`. A text of no words has one, unknown."""
    split = at_blanks if tokenizer == "blanks" else raw_text_splitter()
    return [split(text) or [SPECIAL_TOKENS[UNKNOWN]] for text in texts]
