"""Sentences of other corpora's texts, drawn for a teacher to label."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

SEED = 1  # of the draw


def draw(sentences: pa.Table, known: pa.ListArray, *, number: int, shortest: int, longest: int) -> pa.Table:
    """Sentences drawn without replacement, in their order, with an `id` of their corpus and their row: imdb-17.

    Those of the same words count as one, and those whose words are a known text's as none.

    sentences: with the columns `corpus` and `words`.
    known: the words of each text that has a label.
    number: how many are drawn; all, where there are fewer.
    shortest, longest: how many words a sentence has.
    """
    words = sentences["words"].combine_chunks()
    lengths = pc.list_value_length(words).to_numpy()
    joined = pc.binary_join(words, " ")
    new = ~pc.is_in(joined, value_set=pc.binary_join(known, " ")).to_numpy(zero_copy_only=False)
    candidates = np.flatnonzero((lengths >= shortest) & (lengths <= longest) & new)
    codes = joined.dictionary_encode().indices.to_numpy()  # the same of the same words
    _, first = np.unique(codes[candidates], return_index=True)
    candidates = candidates[np.sort(first)]
    drawn = np.random.default_rng(SEED).choice(candidates, min(number, len(candidates)), replace=False)
    drawn.sort()
    found = sentences.take(drawn)
    ids = [f"{corpus}-{row}" for corpus, row in zip(found["corpus"].to_pylist(), drawn, strict=True)]
    return found.append_column("id", pa.array(ids, pa.string()))
