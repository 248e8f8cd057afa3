"""Texts: SST-2 from its file to word ids, and GloVe's vectors for its vocabulary."""

import importlib.util
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa

from benchmarks import data
from benchmarks.timing import Row, ratio
from stages.common import params
from stages.common.command import InputError
from stages.corpus.rows import read_table, table_settings
from stages.text.glove import read_vectors
from stages.text.vocabulary import SPECIAL_TOKENS, build_vocabulary, read_vocabulary, word_ids
from stages.text.words import split_words

TEXT = "SST-2's training file: reading, words, vocabulary, ids"
GLOVE = "GloVe's 400,000 vectors of 50 numbers, those of SST-2's words"
PAIRS = 3


def our_ids(raw: Path, corpus: dict) -> pa.ListArray:
    """What prepare, tokenize_text and build_vocab do, without files between them."""
    rows = read_table(raw, corpus["splits"]["train"], **table_settings(corpus))
    words = split_words(rows["text"], corpus["tokenizer"])
    different, numbers = words.flatten().value_counts().flatten()
    counts = Counter(dict(zip(different.to_pylist(), numbers.to_pylist(), strict=True)))
    return word_ids(words, build_vocabulary(counts, corpus["min_count"]))


def notebook_ids(path: Path) -> list[list[int]]:
    """As notebook K does it: one loop over the table's rows for the vocabulary, one for the ids."""
    table = pd.read_csv(path, sep="\t")
    vocabulary = {"PAD": 0, "UNK": 1}
    for _, row in table.iterrows():
        for word in row["sentence"].strip().split(" "):
            if word not in vocabulary:
                vocabulary[word] = len(vocabulary)
    return [[vocabulary[word] for word in row["sentence"].strip().split(" ")] for _, row in table.iterrows()]


def text_rows() -> Iterator[Row]:
    """Our functions against notebook K's loops, on all 67,349 rows."""
    raw, corpus = data.sst2_files(), params.section("corpora", "sst2")
    path = raw / corpus["splits"]["train"]
    yield Row(TEXT, "notebook K", ratio(lambda: our_ids(raw, corpus), lambda: notebook_ids(path), PAIRS), 1 / 3)


def glove_rows() -> Iterator[Row]:
    """`read_vectors`, which reads the vectors of given words, against libraries that read all vectors."""
    folder, words = data.glove_text(), read_vocabulary(data.sst2_ids() / "vocab.txt")[len(SPECIAL_TOKENS) :]
    path = folder / "glove.6B.50d.txt"

    def ours() -> object:
        return read_vectors(folder, words, 50)

    def with_pandas() -> object:
        return pd.read_csv(path, sep=" ", quoting=3, header=None)

    yield Row(GLOVE, "pandas.read_csv", ratio(ours, with_pandas, PAIRS), 1.0)
    if importlib.util.find_spec("gensim") is None:
        yield Row(GLOVE, "gensim", None, 1.0, "gensim is not installed")
        return
    from gensim.models import KeyedVectors

    def with_gensim() -> object:
        return KeyedVectors.load_word2vec_format(path, no_header=True)

    yield Row(GLOVE, "gensim", ratio(ours, with_gensim, pairs=1), 1.0)


def rows() -> Iterator[Row]:
    try:
        yield from text_rows()
    except InputError as error:
        yield Row(TEXT, "notebook K", None, 1 / 3, str(error))
    try:
        yield from glove_rows()
    except InputError as error:
        for other in ("pandas.read_csv", "gensim"):
            yield Row(GLOVE, other, None, 1.0, str(error))
