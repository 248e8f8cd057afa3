"""Texts of another corpus that are also in a corpus's valid or test, from which nothing may be learned."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stages.text.sentences import cut_sentences
from stages.text.words import split_words

FEWEST = 4  # words of a text that two corpora do not hold by coincidence


class CutTexts:
    """Texts cut into sentences, each of these as words, by a corpus's tokenizer."""

    def __init__(self, texts: pa.Array, tokenizer: str):
        cut = cut_sentences(texts)
        self.sentences = cut.flatten()
        self.words = split_words(self.sentences, tokenizer)
        self.written = pc.binary_join(self.words, " ")  # each sentence, alike in all corpora
        self.numbers = pc.list_value_length(cut).to_numpy()  # of sentences in each text
        self.whole = pc.binary_join(pa.ListArray.from_arrays(cut.offsets, self.written), " ")  # each text


class HeldOut:
    """What is in a corpus's valid and test, and how much of it occurs in another corpus.

    A text is there as a whole and as its sentences, since another corpus may hold it either way.
    """

    def __init__(self, texts: pa.Array, tokenizer: str):
        cut = CutTexts(texts, tokenizer)
        self.all = pc.unique(pa.concat_arrays([cut.written, cut.whole]))
        self.counted = pc.unique(cut.whole.filter(pc.greater_equal(pc.count_substring(cut.whole, " "), FEWEST - 1)))
        self.found = np.zeros(len(self.counted), bool)

    def look_for(self, others: CutTexts) -> np.ndarray:
        """Which of the other texts' sentences are held out, alone or with their whole text; counts what was found."""
        written = pa.concat_arrays([others.written, others.whole])
        self.found |= pc.is_in(self.counted, value_set=written).to_numpy(zero_copy_only=False)
        sentence, text = np.split(
            pc.is_in(written, value_set=self.all).to_numpy(zero_copy_only=False), [len(others.written)]
        )
        return sentence | np.repeat(text, others.numbers)

    def shared(self) -> float:
        """The share of different texts of at least `FEWEST` words that were found."""
        return self.found.mean() if len(self.found) else 0.0
