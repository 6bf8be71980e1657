from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from exemplars.core.records import Exemplar
from stages.curate.meanings import format_meaning
from stages.curate.params import ConflictParams, CurateParams, OnConflict
from stages.curate.steps import conflicts
from stages.curate.steps.conflicts import Conflict, find_conflict_problems
from tests.curate.rows import make_argument, make_row, make_turn, read_rows

MUM = make_row("1", "call mum", arguments=(make_argument("who", "mum", "call mum"),))
RING = make_row("2", "Call mum!", "ring")
AGAIN = make_row("3", "call Mum", "ring")
OTHER = make_row("4", "call dad", "ring")


def find_conflicts(exemplars: list[Exemplar], context_turns: int) -> list[Conflict]:
    params = CurateParams(conflicts=ConflictParams(context_turns=context_turns))
    with tempfile.TemporaryDirectory() as folder:
        return conflicts.find_conflicts(read_rows(Path(folder), exemplars, params))


def test_equal_texts_with_different_meanings_conflict() -> None:
    [conflict] = find_conflicts([OTHER, AGAIN, RING, MUM], 0)
    assert [row.id for calls in conflict.turns for row in calls.values()] == ["s:1", "s:2", "s:3"]
    assert [format_meaning(calls.values()) for calls in conflict.turns] == [
        "call(who='mum')",
        "ring()",
        "ring()",
    ]
    assert conflict.majority == "ring()"


def test_texts_in_different_contexts_do_not_conflict() -> None:
    rows = [make_row("1", "yes", before=("Call mum?",)), make_row("2", "yes", "ring", before=("Ring dad?",))]
    assert len(find_conflicts(rows, 0)) == 1
    assert find_conflicts(rows, 1) == []


@pytest.mark.parametrize(
    ("action", "rejected"),
    [(OnConflict.KEEP, []), (OnConflict.MAJORITY, [0]), (OnConflict.REJECT, [0, 1, 2])],
)
def test_the_action_decides_which_rows_are_rejected(action: OnConflict, rejected: list[int]) -> None:
    found = find_conflicts([MUM, RING, AGAIN, OTHER], 0)
    assert sorted(find_conflict_problems(found, action)) == rejected


def test_a_conflict_without_a_majority_keeps_no_row() -> None:
    [conflict] = find_conflicts([MUM, RING], 0)
    assert conflict.majority is None
    assert sorted(find_conflict_problems([conflict], OnConflict.MAJORITY)) == [0, 1]


def test_a_problem_names_the_rows_with_other_meanings() -> None:
    problems = find_conflict_problems(find_conflicts([MUM, RING, AGAIN], 0), OnConflict.REJECT)
    assert problems[0].sentence == (
        "found call(who='mum'), but s:2 means ring(); s:3 means ring(), expected one meaning of one text; "
        "correct one of them"
    )


def test_a_meaning_reads_as_a_call() -> None:
    assert [format_meaning([row]) for row in (MUM, make_row("5", "um", None))] == [
        "call(who='mum')",
        "nothing",
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("heat to -5", "heat to 5"),
        ("books on C++", "books on C"),
        ("what is 3+4", "what is 3*4"),
        ("👍", "👎"),
    ],
)
def test_texts_that_differ_in_a_sign_or_a_symbol_do_not_conflict(first: str, second: str) -> None:
    assert find_conflicts([make_row("1", first), make_row("2", second, "ring")], 0) == []
    before = [make_row("1", "yes", before=(first,)), make_row("2", "yes", "ring", before=(second,))]
    assert find_conflicts(before, 1) == []


def test_turns_with_other_calls_conflict_as_a_whole() -> None:
    text = "mum and dad"
    mum, dad = (make_argument("who", who, text) for who in ("mum", "dad"))
    rows = [
        *make_turn("1", text, ("call", (mum,)), ("call", (dad,))),
        *make_turn("2", text, ("call", (dad,)), ("call", (mum,))),
        *make_turn("3", text, ("call", (mum,))),
    ]
    [conflict] = find_conflicts(rows, 0)
    assert conflict.majority == "call(who='dad') and call(who='mum')"
    assert {
        number: problem.found
        for number, problem in find_conflict_problems([conflict], OnConflict.MAJORITY).items()
    } == {
        4: "call(who='mum'), but s:1/0 means call(who='dad') and call(who='mum'); "
        "s:2/0 means call(who='dad') and call(who='mum')"
    }


def test_different_replies_to_one_text_do_not_conflict() -> None:
    rows = [make_row("1", "hi", None, reply="Hello."), make_row("2", "hi", None, reply="Good day.")]
    assert find_conflicts(rows, 0) == []
