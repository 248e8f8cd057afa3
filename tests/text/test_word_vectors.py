"""Word vectors without labels: counts and information by hand, like words beside each other, and odd vocabularies."""

import numpy as np
import pyarrow as pa
import pytest

from stages.text.vocabulary import SPECIAL_TOKENS
from stages.text.word_vectors import SCALE, cooccurrences, learn, positive_information
from stages.training.inputs import PADDING, UNKNOWN

VOCABULARY = [*SPECIAL_TOKENS, "a", "b", "c"]
A, B, C = 2, 3, 4


def texts(*lines: str) -> pa.ListArray:
    return pa.array([line.split() for line in lines], pa.list_(pa.string()))


def counted(window: int, *lines: str) -> dict[tuple[int, int], float]:
    near = cooccurrences(texts(*lines), VOCABULARY, window).tocoo()
    return {(int(row), int(column)): value for row, column, value in zip(*near.coords, near.data, strict=True) if value}


def test_nearer_words_count_more_and_both_ways():
    one, half = 1.0, 0.5
    assert counted(2, "a b c") == {
        **{(A, B): one, (B, A): one, (B, C): one, (C, B): one},
        **{(A, C): half, (C, A): half},
    }
    assert (A, C) not in counted(1, "a b c")


def test_no_pair_reaches_from_one_text_into_the_next():
    assert counted(5, "a b", "c") == {(A, B): 1, (B, A): 1}


def test_a_word_outside_the_vocabulary_keeps_its_place_and_counts_for_nothing():
    assert counted(2, "a other b") == {(A, B): 0.5, (B, A): 0.5}


def test_a_word_beside_itself_counts_from_both_sides():
    assert counted(1, "a a") == {(A, A): 2}


def test_information_is_that_by_hand():
    """Of a's two neighbours one is b and one c; b and c have one each; contexts count by the power of 0.75."""
    information = positive_information(cooccurrences(texts("a b", "c a"), VOCABULARY, 1)).toarray()
    everything = 2**0.75 + 1 + 1
    assert information[A, B] == pytest.approx(np.log(1 / 2 * everything))
    assert information[B, A] == pytest.approx(np.log(1 / 1 * everything / 2**0.75))
    assert information[B, C] == 0


def learned(*lines: str, size: int = 4) -> np.ndarray:
    return learn(texts(*lines), VOCABULARY, size=size, window=2, seed=1)


def test_words_in_the_same_places_get_like_vectors():
    vocabulary = [*SPECIAL_TOKENS, *"abcdefgh"]
    generator = np.random.default_rng(1)
    lines = [" ".join([*generator.permutation(group)[:4]]) for group in (list("abcd"), list("efgh")) for _ in range(50)]
    found = learn(texts(*lines), vocabulary, size=2, window=3, seed=1)[2:]
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    alike = found @ found.T
    assert alike[:4, :4].min() > 0.99
    assert np.abs(alike[:4, 4:]).max() < 0.01


def test_padding_is_zero_and_the_unknown_word_the_mean():
    found = learned("a b c", "b a c a")
    assert (found[PADDING] == 0).all()
    assert found[UNKNOWN] == pytest.approx(found[2:].mean(axis=0), abs=0.001)
    assert found.dtype == np.float32


def test_a_small_vocabulary_has_vectors_of_the_size_asked_for():
    assert learned("a b c", "b a c a", size=50).shape == (5, 50)


def test_words_that_are_always_alone_get_random_vectors_of_the_same_scale():
    found = learned("a b a b a b b", "c", size=300)
    assert found[C].std() == pytest.approx(SCALE, rel=0.15)
    alone = learned("a", "b", "c", size=300)
    assert alone[2:].std() == pytest.approx(SCALE, rel=0.15)
    assert not np.array_equal(alone[A], alone[B])


def test_the_same_seed_gives_the_same_bytes():
    assert learned("a b c", "b a c a").tobytes() == learned("a b c", "b a c a").tobytes()
