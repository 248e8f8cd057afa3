"""Long texts: which part of them is kept."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages import tokenize_wordpieces
from stages.text.truncation import PARTS, shorten

ROWS = [[1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4], [], [8]]


def shortened(rows: list[list[int]], longest: int, part: str, **options: bool) -> list[list[int]]:
    return shorten(pa.array(rows, pa.list_(pa.int32())), longest, part, **options).to_pylist()


@pytest.mark.parametrize(
    ("part", "words", "pieces"),
    [
        ("head", [1, 2, 3, 4, 5], [1, 2, 3, 4, 7]),
        ("tail", [3, 4, 5, 6, 7], [1, 4, 5, 6, 7]),
        ("head_and_tail", [1, 2, 3, 6, 7], [1, 2, 3, 6, 7]),
    ],
)
def test_the_named_part_of_a_long_text_is_kept_and_both_ends_of_pieces(part, words, pieces):
    assert shortened(ROWS, 5, part) == [words, *ROWS[1:]]
    assert shortened(ROWS, 5, part, keep_ends=True) == [pieces, *ROWS[1:]]


@given(st.lists(st.lists(st.integers(0, 9), max_size=12)), st.integers(3, 8), st.sampled_from(PARTS), st.booleans())
def test_no_text_stays_too_long_and_no_short_one_is_touched(rows, longest, part, keep_ends):
    for row, kept in zip(rows, shortened(rows, longest, part, keep_ends=keep_ends), strict=True):
        assert len(kept) == min(len(row), longest)
        assert kept == row or len(row) > longest
        if keep_ends:
            assert (kept[:1], kept[-1:]) == (row[:1], row[-1:])


def test_rows_from_the_middle_of_a_larger_table_are_cut_as_they_are():
    assert shorten(pa.array(ROWS, pa.list_(pa.int32()))[1:3], 3, "tail").to_pylist() == [[2, 3, 4], []]


def test_more_pieces_than_the_encoder_reads_are_refused(project, put_encoder, own, run_here, check):
    put_encoder()
    project.set("corpora.own.kept_wordpieces", {"longest": 65, "part": "head"})
    options = {"rows": project.folder / "rows", "weights": own, "out": "data/wordpieces/own"}
    check(
        run_here(tokenize_wordpieces, corpus="own", encoder="own", **options),
        project.folder / "data/wordpieces",
        "kept_wordpieces.longest is 65",
        "max_length is 64",
    )
