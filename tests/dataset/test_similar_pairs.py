from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.dataset.similar_pairs import SimilarPair, find_similar_pairs
from exemplars.dataset.texts import compute_jaccard, make_shingles, make_similarity_text


def test_a_pair_has_its_exact_similarity() -> None:
    texts = ["please call my mother at home now", "please call my mother at home", "play some jazz"]
    assert find_similar_pairs(texts, 0.8) == [
        SimilarPair("please call my mother at home", "please call my mother at home now", 0.8611)
    ]


@pytest.mark.parametrize("texts", [[], ["one"], ["", ""], ["same", "same"]])
def test_fewer_than_two_different_texts_have_no_pair(texts: list[str]) -> None:
    assert find_similar_pairs(texts, 0.8) == []


def test_the_order_of_texts_does_not_matter() -> None:
    texts = [
        f"please call my {name} at home now" for name in ("mother", "brother", "mothers", "father", "fathers")
    ]
    assert find_similar_pairs(texts, 0.6) == find_similar_pairs(texts[::-1], 0.6) != []


WORDS = st.sampled_from(
    [
        "please",
        "call",
        "my",
        "mother",
        "father",
        "sister",
        "at",
        "home",
        "at",
        "work",
        "now",
        "today",
        "later",
    ]
)


@given(st.lists(st.lists(WORDS, min_size=3, max_size=9).map(" ".join), min_size=2, max_size=25, unique=True))
def test_banding_misses_no_pair_that_comparing_all_finds(texts: list[str]) -> None:
    expected = {
        (first, second)
        for first, second in combinations(sorted(texts), 2)
        if compute_jaccard(make_shingles(first), make_shingles(second)) >= 0.8
    }
    assert {(pair.first, pair.second) for pair in find_similar_pairs(texts, 0.8)} == expected


def test_texts_that_are_equal_when_normalized_are_no_pair() -> None:
    texts = [make_similarity_text("Call  MUM, please!"), make_similarity_text("call mum please")]
    assert find_similar_pairs(texts, 0.9) == []
