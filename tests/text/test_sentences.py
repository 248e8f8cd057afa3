"""Running text cut into sentences, by hand."""

import pyarrow as pa
import pytest

from stages.text.sentences import cut_sentences

# A text and its sentences.
CUT = {
    "end": ("It ended. We left! Why? Nobody knows.", ["It ended.", "We left!", "Why?", "Nobody knows."]),
    "lower case": ("a moving , funny film . not a bad one !", ["a moving , funny film . not a bad one !"]),
    "no blank": ("It cost 3.50 on www.Films.com.It did", ["It cost 3.50 on www.Films.com.It did"]),
    "HTML breaks": ("one<br /><br />two <br>three<BR/>four", ["one", "two", "three", "four"]),
    "line ends": ("one\ntwo\r\n\r\nthree\rfour", ["one", "two", "three", "four"]),
    "abbreviation": ("Mr. Hitchcock met Dr. No. They ate.", ["Mr. Hitchcock met Dr. No.", "They ate."]),
    "initials": ("J. R. R. Tolkien and I. The end.", ["J. R. R. Tolkien and I.", "The end."]),
    "letters with points": ("The U.S. Army. In D.C. Nobody", ["The U.S. Army.", "In D.C. Nobody"]),
    "closing quotes": (
        'He said "Go!" Then (he left.) \u201cStay,\u201d she said.',
        ['He said "Go!"', "Then (he left.)", "\u201cStay,\u201d she said."],
    ),
    "opening quote before lower case": ('I like it. "sort of"', ["I like it.", '"sort of"']),
    "points and marks": ("So... Well?! Yes.", ["So...", "Well?!", "Yes."]),
    "other capitals": ("C'est fini. Élan vital. Конец. Да.", ["C'est fini.", "Élan vital.", "Конец.", "Да."]),
    "several blanks": ("  One.   Two.\tThree.  ", ["One.", "Two.", "Three."]),
    "nothing": (" \n<br /> ", []),
}


@pytest.mark.parametrize(("text", "sentences"), CUT.values(), ids=CUT)
def test_a_text_is_cut_where_a_sentence_ends(text, sentences):
    assert cut_sentences(pa.array([text])).to_pylist() == [sentences]


def test_each_text_has_its_own_sentences_in_a_part_of_an_array_too():
    texts = pa.array([text for text, _ in CUT.values()])
    expected = [sentences for _, sentences in CUT.values()]
    assert cut_sentences(texts).to_pylist() == expected
    assert cut_sentences(texts[3:7]).to_pylist() == expected[3:7]
    assert cut_sentences(texts[:0]).to_pylist() == []
