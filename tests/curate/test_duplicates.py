from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.records import Mode
from exemplars.dataset.texts import compute_jaccard, make_shingles, normalize_text
from stages.curate.duplicates import Pair, clusters_of, exact_duplicates, joined_groups, near_pairs
from tests.curate.rows import located, row


def test_rows_that_differ_in_case_and_punctuation_repeat_the_first() -> None:
    mum = "call Mum"
    rows = [
        row("1", mum, arguments=(located("who", "Mum", mum),)),
        row("2", "Call mum!", arguments=(located("who", "mum", "Call mum!"),)),
        row("3", "Call mum!", "ring", arguments=(located("who", "mum", "Call mum!"),)),
        row("4", "Call mum!", arguments=(located("whom", "mum", "Call mum!"),)),
        row("5", "Call mum!", mode=Mode.NEGATIVE),
    ]
    assert exact_duplicates(rows) == {"s:2": "s:1"}


def test_a_pair_has_its_exact_similarity() -> None:
    texts = ["please call my mother at home now", "please call my mother at home", "play some jazz"]
    assert near_pairs(texts, 0.8) == [
        Pair("please call my mother at home", "please call my mother at home now", 0.8611)
    ]


@pytest.mark.parametrize("texts", [[], ["one"], ["", ""], ["same", "same"]])
def test_without_two_texts_there_is_no_pair(texts: list[str]) -> None:
    assert near_pairs(texts, 0.8) == []


def test_the_order_of_texts_changes_nothing() -> None:
    texts = [
        f"please call my {name} at home now" for name in ("mother", "brother", "mothers", "father", "fathers")
    ]
    assert near_pairs(texts, 0.6) == near_pairs(texts[::-1], 0.6) != []


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
    every = {
        (one, other)
        for one, other in combinations(sorted(texts), 2)
        if compute_jaccard(make_shingles(one), make_shingles(other)) >= 0.8
    }
    assert {(one.first, one.second) for one in near_pairs(texts, 0.8)} == every


def test_a_chain_is_no_cluster() -> None:
    # a~b, b~c, c~d, d~e: the ends have nothing in common, and only neighbours of a first are joined.
    chain = [Pair("a", "b", 0.9), Pair("b", "c", 0.9), Pair("c", "d", 0.9), Pair("d", "e", 0.9)]
    assert clusters_of({}, chain) == {"a": "a", "b": "a", "c": "c", "d": "c"}


def test_the_text_with_most_rows_gathers_its_neighbours() -> None:
    pairs = [Pair("a", "b", 0.9), Pair("b", "c", 0.9)]
    assert clusters_of({"b": 5}, pairs) == {"a": "b", "b": "b", "c": "b"}


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")), max_size=20))
def test_every_member_of_a_cluster_is_verified_against_its_first(edges: list[tuple[str, str]]) -> None:
    pairs = [Pair(*sorted(edge), 0.9) for edge in edges if edge[0] != edge[1]]
    verified = {(one.first, one.second) for one in pairs} | {(one.second, one.first) for one in pairs}
    for member, first in clusters_of({}, pairs).items():
        assert member == first or (member, first) in verified


def test_groups_with_a_common_cluster_are_joined_under_the_first_name() -> None:
    rows = [("g2", None, "x"), ("g1", None, "x"), ("g3", None, "y"), ("g2", None, "y")]
    assert joined_groups(rows, 99) == {"g2": "g1", "g3": "g1"}


def test_groups_of_different_prescribed_splits_stay_apart() -> None:
    rows = [("g1", "train", "x"), ("g2", "test", "x"), ("g3", "train", "x")]
    assert joined_groups(rows, 99) == {"g3": "g1"}


def test_groups_are_not_joined_beyond_the_bound() -> None:
    rows = [("g1", None, "x"), ("g2", None, "x"), ("g3", None, "x")]
    assert joined_groups(rows, 2) == {"g2": "g1"}


def test_normalized_texts_are_what_pairs_are_told_by() -> None:
    assert near_pairs([normalize_text("Call  MUM, please!"), normalize_text("call mum please")], 0.9) == []
