"""Rows as columns: read again in parts, and rejected in any order."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from exemplars.core.ledger import Problem
from exemplars.core.records import Exemplar, Reason
from exemplars.dataset.row_tables import rejections_from_table
from stages.curate.params import CurateParams
from stages.curate.rejected_rows import RejectedRows
from stages.curate.rows import Rows
from stages.curate.scratch import open_scratch
from stages.curate.turn_keys import read_turns
from tests.curate.rows import make_row, make_turn, read_rows

TEXT = "call mum and dad"


def make_rows() -> list[Exemplar]:
    """Make two turns of two calls whose rows alternate, and two other rows."""
    first, second = (
        make_turn("a", TEXT, ("call", ()), ("call", ())),
        make_turn("b", TEXT, ("ring", ()), ("ring", ())),
    )
    calls = [first[0], second[1], second[0], first[1]]
    renamed = [msgspec.structs.replace(row, id=f"s:{number}") for number, row in enumerate(calls, 1)]
    return [*renamed, make_row("5", "stop"), make_row("6", "stop it")]


def read_small(folder: Path, row_group: int) -> Rows:
    return read_rows(folder, make_rows(), CurateParams(), row_group)


def test_rows_are_read_in_their_order_whatever_the_row_groups(tmp_path: Path) -> None:
    for row_group in (1, 2, 8):
        rows = read_small(tmp_path, row_group)
        assert [row.id for row in rows.select(np.array([4, 0, 3]))] == ["s:5", "s:1", "s:4"]
        assert [row.id for row in rows.table.find(["s:6", "s:9", "s:2"])] == ["s:2", "s:6"]


def test_parts_do_not_divide_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = read_small(tmp_path, 2)
    turns = [["s:1", "s:4"], ["s:3", "s:2"], ["s:5"], ["s:6"]]
    assert [[row.id for row in calls] for calls in read_turns(rows)] == turns
    monkeypatch.setattr("stages.curate.rows._BATCH", 1)
    assert [len(part) for part in rows.divide_by("turn")] == [2, 2, 1, 1]
    assert [[row.id for row in calls] for calls in read_turns(rows)] == turns


def test_rejections_of_several_steps_are_sorted_by_id(tmp_path: Path) -> None:
    rows = read_small(tmp_path, 2)
    with open_scratch(tmp_path) as scratch:
        ledger = RejectedRows(scratch.rejections)
        left = ledger.drop_found(rows, {4: Problem(Reason.LOW_QUALITY), 2: Problem(Reason.LOW_QUALITY)})
        left = ledger.drop_found(left, {0: Problem(Reason.NEAR_DUPLICATE)})
        assert left.numbers.tolist() == [5]
        rejections = [row for table in ledger.read() for row in rejections_from_table(table)]
    assert [(row.id, row.reason) for row in rejections] == [
        ("s:1", Reason.NEAR_DUPLICATE),
        ("s:2", Reason.INCOMPLETE_TURN),
        ("s:3", Reason.LOW_QUALITY),
        ("s:4", Reason.INCOMPLETE_TURN),
        ("s:5", Reason.LOW_QUALITY),
    ]
    assert ledger.count_by_reason() == {"incomplete_turn": 2, "low_quality": 2, "near_duplicate": 1}
