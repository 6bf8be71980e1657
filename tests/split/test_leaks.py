from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.records import Speaker, Turn
from stages.split.leaks import Row, Seen, leaked_rows


def rows(*texts: tuple[str, str, str, tuple[str, ...]]) -> list[Row]:
    """Rows of (split, utterance, exemplar, turns before), with the ids 0, 1, …"""
    return [
        Row(str(number), split, utterance, exemplar, tuple(Turn(Speaker.SYSTEM, turn) for turn in before))
        for number, (split, utterance, exemplar, before) in enumerate(texts)
    ]


def test_the_same_utterance_in_test_takes_a_row_out_of_train() -> None:
    found = leaked_rows(
        rows(
            ("train", "Call Mum!", "Call <who>!", ()),
            ("train", "call dad", "ring <who>", ()),
            ("test", "call mum", "phone <who>", ()),
        ),
        0,
        {},
    )
    assert found == {"0": Seen("2", "test", False)}


def test_the_same_template_in_validation_takes_a_row_out_of_train() -> None:
    table = rows(("train", "call mum", "call <who>", ()), ("validation", "call dad", "Call <who>.", ()))
    assert leaked_rows(table, 0, {}) == {"0": Seen("1", "validation", False)}


def test_the_same_text_in_validation_and_test_stays() -> None:
    assert leaked_rows(rows(("validation", "yes", "yes", ()), ("test", "yes", "yes", ())), 0, {}) == {}


@pytest.mark.parametrize(("turns", "leaked"), [(0, ["0", "1"]), (1, ["1"]), (2, [])])
def test_with_context_turns_the_turns_before_must_be_equal_too(turns: int, leaked: list[str]) -> None:
    table = rows(
        ("train", "yes", "yes", ("Hi", "Play it?")),
        ("train", "Yes.", "yes", ("Hello", "Book it?")),
        ("test", "yes", "yes", ("Hey", "book it")),
    )
    assert sorted(leaked_rows(table, turns, {})) == leaked


def test_near_duplicates_leave_train_and_validation_whatever_the_turns_before() -> None:
    table = rows(
        ("train", "call my mum", "a", ("x",)),
        ("validation", "call my mum now", "b", ("y",)),
        ("test", "Call my mum, now?", "c", ("z",)),
        ("test", "call my mum please", "d", ()),
    )
    pairs = {"utterance": [("call my mum", "call my mum please"), ("call my mum now", "call my mum please")]}
    assert leaked_rows(table, 12, pairs) == {"0": Seen("3", "test", True), "1": Seen("3", "test", True)}


def test_a_row_that_left_validation_takes_none_out_of_train() -> None:
    table = rows(("train", "a b c", "x", ()), ("validation", "a b c", "y", ()), ("test", "a b c d", "z", ()))
    assert sorted(leaked_rows(table, 0, {"utterance": [("a b c", "a b c d")]})) == ["0", "1"]
    assert leaked_rows(table, 0, {"utterance": [("a b c", "a b c d")]})["0"] == Seen("2", "test", True)


def test_without_rows_nothing_leaks() -> None:
    assert leaked_rows([], 0, {}) == {}


TEXTS = st.sampled_from(["a", "b", "c", "d", "e"])


@given(
    table=st.lists(st.tuples(st.sampled_from(["train", "validation", "test"]), TEXTS, TEXTS), max_size=12),
    pairs=st.lists(st.tuples(TEXTS, TEXTS).filter(lambda pair: pair[0] < pair[1]), max_size=5),
)
def test_no_pair_crosses_what_stays(table: list[tuple[str, str, str]], pairs: list[tuple[str, str]]) -> None:
    every = rows(*((split, one, other, ()) for split, one, other in table))
    near = {"utterance": pairs, "exemplar": pairs}
    leaked = leaked_rows(every, 0, near)
    stay = [one for one in every if one.id not in leaked]
    assert not any(one.split == "test" for one in every if one.id in leaked)
    for first, second in pairs:
        for column in ("utterance", "exemplar"):
            ones = {one.split for one in stay if getattr(one, column) == first}
            others = {one.split for one in stay if getattr(one, column) == second}
            assert len(ones | others) <= 1 or not ones or not others
