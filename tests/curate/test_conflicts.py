from __future__ import annotations

import pytest

from stages.curate.conflicts import conflicts_among, meaning, rejected_rows
from stages.curate.params import OnConflict
from tests.curate.rows import located, row

MUM = row("1", "call mum", arguments=(located("who", "mum", "call mum"),))
RING = row("2", "Call mum!", "ring")
AGAIN = row("3", "call Mum", "ring")
OTHER = row("4", "call dad", "ring")


def test_equal_texts_with_different_meanings_conflict() -> None:
    [conflict] = conflicts_among([OTHER, AGAIN, RING, MUM], 0)
    assert [one.id for one in conflict.rows] == ["s:1", "s:2", "s:3"]
    assert conflict.meanings == ("call(who='mum')", "ring()")
    assert conflict.majority == "ring()"


def test_another_context_is_no_conflict() -> None:
    rows = [row("1", "yes", before=("Call mum?",)), row("2", "yes", "ring", before=("Ring dad?",))]
    assert len(conflicts_among(rows, 0)) == 1
    assert conflicts_among(rows, 1) == []


@pytest.mark.parametrize(
    ("action", "gone"),
    [(OnConflict.KEEP, []), (OnConflict.MAJORITY, ["s:1"]), (OnConflict.REJECT, ["s:1", "s:2", "s:3"])],
)
def test_what_goes_is_what_the_parameter_says(action: OnConflict, gone: list[str]) -> None:
    assert sorted(rejected_rows(conflicts_among([MUM, RING, AGAIN, OTHER], 0), action)) == gone


def test_without_a_majority_none_stays() -> None:
    [conflict] = conflicts_among([MUM, RING], 0)
    assert conflict.majority is None
    assert sorted(rejected_rows([conflict], OnConflict.MAJORITY)) == ["s:1", "s:2"]


def test_a_meaning_reads_as_a_call() -> None:
    assert [meaning(one) for one in (MUM, row("5", "um", None))] == ["call(who='mum')", "nothing"]
