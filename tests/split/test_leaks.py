from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.ids import SPLITS, SplitName
from exemplars.core.ledger import Problem
from exemplars.core.records import Exemplar, Reason, Speaker, Turn
from stages.split.row_checks import find_leaking_rows
from tests.curate.rows import make_argument, make_row, make_turn

Case = tuple[SplitName, str, str, tuple[str, ...]]


def build_rows(*cases: Case) -> tuple[list[Exemplar], dict[str, SplitName]]:
    """Rows of (split, utterance, exemplar, turns before) with the ids s:0, s:1, …, and the splits of their groups."""
    rows = [
        msgspec.structs.replace(make_row(str(number), utterance, before=before), exemplar=template)
        for number, (_, utterance, template, before) in enumerate(cases)
    ]
    return rows, {f"s:{number}": split for number, (split, *_) in enumerate(cases)}


def leak(likeness: str, other: str, split: str) -> Problem:
    return Problem(
        Reason.LEAKED,
        found=f"{likeness} as {other}, which is in {split}",
        fix="to keep this row, reword one of the two",
    )


def test_the_same_utterance_in_test_takes_a_row_out_of_train() -> None:
    rows, splits = build_rows(
        ("train", "Call Mum!", "Call <who>!", ()),
        ("train", "call dad", "ring <who>", ()),
        ("test", "call mum", "phone <who>", ()),
    )
    assert find_leaking_rows(rows, splits, 0, {}) == {"s:0": leak("the same utterance", "s:2", "test")}


def test_the_same_template_in_validation_takes_a_row_out_of_train() -> None:
    rows, splits = build_rows(
        ("train", "call mum", "call <who>", ()), ("validation", "call dad", "Call <who>.", ())
    )
    assert find_leaking_rows(rows, splits, 0, {}) == {"s:0": leak("the same template", "s:1", "validation")}


def test_the_same_text_in_validation_and_test_stays() -> None:
    rows, splits = build_rows(("validation", "yes", "yes", ()), ("test", "yes", "yes", ()))
    assert find_leaking_rows(rows, splits, 0, {}) == {}


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("heat to -5", "heat to 5"),
        ("books on C++", "books on C"),
        ("what is 3+4", "what is 3*4"),
        ("👍", "👎"),
    ],
)
def test_a_text_that_differs_in_a_sign_or_a_symbol_does_not_leak(train: str, test: str) -> None:
    rows, splits = build_rows(("train", train, train, ()), ("test", test, test, ()))
    assert find_leaking_rows(rows, splits, 0, {}) == {}


def test_the_same_text_in_another_spelling_takes_a_row_out_of_train() -> None:
    rows, splits = build_rows(
        ("train", "thats good", "thats good", ("Ok?",)),
        ("train", "thats fine", "thats fine", ("Ok?",)),
        ("test", "That's good.", "That's good.", ("ok",)),
        ("test", "That's fine.", "That's fine.", ("Good?",)),
    )
    assert find_leaking_rows(rows, splits, 1, {}) == {
        "s:0": leak("the same utterance in another spelling", "s:2", "test")
    }


@pytest.mark.parametrize(("turns", "leaked"), [(0, ["s:0", "s:1"]), (1, ["s:1"]), (2, [])])
def test_with_context_turns_the_preceding_turns_must_be_equal_too(turns: int, leaked: list[str]) -> None:
    rows, splits = build_rows(
        ("train", "yes", "yes", ("Hi", "Play it?")),
        ("train", "Yes.", "yes", ("Hello", "Book it?")),
        ("test", "yes", "yes", ("Hey", "book it")),
    )
    assert sorted(find_leaking_rows(rows, splits, turns, {})) == leaked


def test_near_duplicates_leave_train_and_validation_whatever_the_preceding_turns() -> None:
    rows, splits = build_rows(
        ("train", "call my mum", "a", ("x",)),
        ("validation", "call my mum now", "b", ("y",)),
        ("test", "Call my mum, now?", "c", ("z",)),
        ("test", "call my mum please", "d", ()),
    )
    pairs = {"utterance": [("call my mum", "call my mum please"), ("call my mum now", "call my mum please")]}
    near = leak("nearly the same utterance", "s:3", "test")
    assert find_leaking_rows(rows, splits, 12, pairs) == {"s:0": near, "s:1": near}


def test_a_row_that_left_validation_takes_none_out_of_train() -> None:
    rows, splits = build_rows(
        ("train", "a b c", "x", ()), ("validation", "a b c", "y", ()), ("test", "a b c d", "z", ())
    )
    leaks = find_leaking_rows(rows, splits, 0, {"utterance": [("a b c", "a b c d")]})
    assert sorted(leaks) == ["s:0", "s:1"]
    assert leaks["s:0"] == leak("nearly the same utterance", "s:2", "test")


def test_without_rows_nothing_leaks() -> None:
    assert find_leaking_rows([], {}, 0, {}) == {}


TEXTS = st.sampled_from(["a", "b", "c", "d", "e"])


@given(
    table=st.lists(st.tuples(st.sampled_from(SPLITS), TEXTS, TEXTS), max_size=12),
    pairs=st.lists(st.tuples(TEXTS, TEXTS).filter(lambda pair: pair[0] < pair[1]), max_size=5),
)
def test_no_pair_crosses_what_stays(
    table: list[tuple[SplitName, str, str]], pairs: list[tuple[str, str]]
) -> None:
    rows, splits = build_rows(*((split, utterance, template, ()) for split, utterance, template in table))
    leaks = find_leaking_rows(rows, splits, 0, {"utterance": pairs, "exemplar": pairs})
    assert not any(splits[row.group] == "test" for row in rows if row.id in leaks)
    kept = [row for row in rows if row.id not in leaks]
    for first, second in pairs:
        for column in ("utterance", "exemplar"):
            with_first = {splits[row.group] for row in kept if getattr(row, column) == first}
            with_second = {splits[row.group] for row in kept if getattr(row, column) == second}
            assert len(with_first | with_second) <= 1 or not with_first or not with_second


def test_all_calls_of_a_turn_leak_with_the_call_whose_template_leaks() -> None:
    text = "call mum and dad"
    arguments = [(make_argument("who", who, text),) for who in ("mum", "dad")]
    turn = make_turn("1", text, ("call", arguments[0]), ("call", arguments[1]))
    rows, splits = build_rows(("test", "call ann and dad", "call <who> and dad", ()))
    leaks = find_leaking_rows([*rows, *turn], {**splits, "s:1": "train"}, 0, {})
    assert leaks == dict.fromkeys(("s:1/0", "s:1/1"), leak("the same template", "s:0", "test"))


def test_after_a_tools_result_what_the_user_said_decides() -> None:
    def after_result(name: str, asked: str) -> Exemplar:
        context = (Turn(Speaker.USER, asked), Turn(Speaker.ASSISTANT, "…"))
        return make_row(name, '{"ok": true}', None, context=context, speaker=Speaker.TOOL)

    rows = [after_result("0", "call mum"), after_result("1", "text dad"), after_result("2", "Call mum!")]
    splits: dict[str, SplitName] = {"s:0": "test", "s:1": "train", "s:2": "train"}
    assert find_leaking_rows(rows, splits, 0, {}) == {"s:2": leak("the same utterance", "s:0", "test")}
