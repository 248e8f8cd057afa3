"""Sentences of other corpora, drawn for a teacher: which may be drawn, and how often."""

import pyarrow as pa
import pytest

from stages.text.drawn_sentences import draw

SENTENCES = [
    ("imdb", "a b c d"),
    ("imdb", "too short"),
    ("imdb", "this one has too many words"),
    ("imdb", "known as it is"),
    ("more", "a b c d"),
    ("more", "e f g h i"),
    ("more", "j k l m"),
]
BOUNDS = {"shortest": 4, "longest": 5}


def table(sentences: list[tuple[str, str]]) -> pa.Table:
    texts = pa.array([text for _, text in sentences], pa.string())
    words = pa.array([text.split() for _, text in sentences], pa.list_(pa.string()))
    return pa.table({"text": texts, "words": words, "corpus": pa.array([name for name, _ in sentences], pa.string())})


def known(*texts: str) -> pa.ListArray:
    return pa.array([text.split() for text in texts], pa.list_(pa.string()))


def test_all_that_fit_are_taken_once_in_their_order_but_what_has_a_label():
    found = draw(table(SENTENCES), known("known as it is"), number=10, **BOUNDS)
    assert found["id"].to_pylist() == ["imdb-0", "more-5", "more-6"]
    assert found["text"].to_pylist() == ["a b c d", "e f g h i", "j k l m"]


def test_a_number_of_them_is_drawn_at_random_but_always_the_same():
    many = table([("imdb", f"a film of {number}") for number in range(1000)])
    found, again = (draw(many, known("x"), number=100, **BOUNDS)["id"].to_pylist() for _ in range(2))
    rows = [int(name.removeprefix("imdb-")) for name in found]
    assert found == again
    assert rows == sorted(set(rows)) and len(rows) == 100
    assert 350 < sum(rows) / 100 < 650 and rows != list(range(100))


@pytest.mark.parametrize(("sentences", "number"), [(SENTENCES, 0), ([], 10), (SENTENCES[1:3], 10)])
def test_where_none_is_wanted_or_fits_none_is_drawn(sentences, number):
    found = draw(table(sentences), known("x"), number=number, **BOUNDS)
    assert len(found) == 0
    assert found.schema.field("id").type == pa.string()
