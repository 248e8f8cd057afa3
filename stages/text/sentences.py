"""How running text is cut into sentences: by a rule, without anything learned."""

import pyarrow as pa
import pyarrow.compute as pc

ABBREVIATIONS = ("Mr", "Mrs", "Ms", "Dr", "Prof", "St", "Jr", "Sr", "vs", "Lt", "Col", "Capt", "Sgt", "Gen", "Rev")
CUT = "\u2029"  # Unicode's separator of paragraphs
HTML_BREAK = r"(?i)<br\s*/?>"
END = r"""([.!?]["'”’)\]]*)\s+(["'“‘(\[]*\p{Lu}|["“‘])"""
# Where a sentence goes on: after an abbreviation, an initial (I is not one) or letters with points, as in U.S.
GOES_ON = rf"\b({'|'.join(ABBREVIATIONS)}|[A-HJ-Z]|(?:\p{{L}}\.)+\p{{L}})\.{CUT}"


def cut_sentences(texts: pa.Array) -> pa.ListArray:
    """The sentences of each text, without the blanks around them; a text of blanks alone has none.

    HTML breaks and line ends separate sentences. So does a full stop, an exclamation or a question mark, with closing
    quotes and brackets behind it, before a blank and a capital letter or an opening quote, but not the full stop of an
    abbreviation. Lower-case texts, such as SST-2's, stay whole.
    """
    marked = pc.replace_substring_regex(texts.cast(pa.large_string()), HTML_BREAK, "\n")
    marked = pc.replace_substring_regex(marked, END, rf"\1{CUT}\2")
    marked = pc.replace_substring_regex(marked, GOES_ON, r"\1. ")
    pieces = pc.split_pattern_regex(marked, rf"[\r\n{CUT}]+")
    sentences = pc.utf8_trim_whitespace(pieces.flatten())
    is_text = pc.greater(pc.utf8_length(sentences), 0)
    kept = pa.concat_arrays([pa.array([0]), pc.cumulative_sum(is_text.cast(pa.int64()))])  # before each piece
    return pa.ListArray.from_arrays(kept.take(pieces.offsets).cast(pa.int32()), sentences.filter(is_text))
