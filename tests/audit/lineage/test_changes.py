from __future__ import annotations

import time
from typing import Any

import polars as pl

from exemplars.audit.lineage.changes import count_changes, find_changes, find_render_changes
from exemplars.audit.lineage.row_outcomes import NO_SKILL
from exemplars.core import reports
from tests.audit.lineage.rows import outcome, table


def kinds(old: pl.DataFrame, new: pl.DataFrame) -> dict[str, list[str]]:
    changes, _ = find_changes(old, new)
    return {kind: rows["id"].to_list() for kind, rows in changes.items() if rows.height}


def only(old: pl.DataFrame, new: pl.DataFrame, kind: str) -> dict[str, Any]:
    changes, _ = find_changes(old, new)
    assert [name for name, rows in changes.items() if rows.height] == [kind]
    return dict(changes[kind].row(0, named=True))


A, B = outcome("s:a.md#3", "a"), outcome("s:a.md#5", "b")
BAD = outcome("s:a.md#5", "b", digest=None, reason="value_not_found")


def test_equal_tables_have_no_changes() -> None:
    assert kinds(table(A, B), table(A, B)) == {}


def test_rows_come_and_go() -> None:
    assert kinds(table(A), table(A, B)) == {"added": ["s:a.md#5"]}
    assert kinds(table(A, B), table(A)) == {"removed": ["s:a.md#5"]}
    assert only(table(A, B), table(A), "removed")["old_split"] == "train"


def test_a_change_names_its_fields() -> None:
    row = only(table(A), table(outcome("s:a.md#3", "a", skill="ring", group="h")), "changed")
    assert row["fields"] == ["skill", "group"]
    assert (row["old_skill"], row["skill"]) == ("call", "ring")


def test_a_value_that_becomes_none_is_a_change() -> None:
    assert only(table(A), table(outcome("s:a.md#3", "a", skill=None)), "changed")["fields"] == ["skill"]


def test_a_row_that_moves_to_another_split_may_be_changed_too() -> None:
    moved = only(table(A), table(outcome("s:a.md#3", "a", split="test")), "moved")
    assert (moved["old_split"], moved["split"]) == ("train", "test")
    both = kinds(table(A), table(outcome("s:a.md#3", "a", split="test", group="h")))
    assert both == {"changed": ["s:a.md#3"], "moved": ["s:a.md#3"]}


def test_a_row_that_is_rejected_now_has_its_reason() -> None:
    row = only(table(A, B), table(A, BAD), "rejected")
    assert (row["old_split"], row["stage"], row["reason"]) == ("train", "compile", "value_not_found")


def test_a_new_row_may_be_rejected_at_once() -> None:
    row = only(table(A), table(A, BAD), "rejected")
    assert (row["old_split"], row["reason"]) == (None, "value_not_found")


def test_a_row_that_is_accepted_now_has_its_former_reason() -> None:
    row = only(table(A, BAD), table(A, B), "accepted")
    assert (row["old_reason"], row["split"]) == ("value_not_found", "train")


def test_a_reason_may_change_and_a_rejection_may_disappear() -> None:
    other = outcome("s:a.md#5", "b", digest=None, reason="value_ambiguous")
    row = only(table(A, BAD), table(A, other), "rejected_otherwise")
    assert (row["old_reason"], row["reason"]) == ("value_not_found", "value_ambiguous")
    assert kinds(table(A, BAD), table(A)) == {"withdrawn": ["s:a.md#5"]}


def test_a_row_that_only_moved_within_its_file_is_no_change() -> None:
    changes, pairs = find_changes(table(A), table(outcome("s:a.md#9", "a")))
    assert {kind: rows.height for kind, rows in changes.items() if rows.height} == {}
    assert pairs.rows() == [("s:a.md#3", "s:a.md#9")]


def test_counts_are_by_value_and_kind() -> None:
    silent = outcome("s:a.md#7", "c", skill=None)
    changes, _ = find_changes(table(A, B), table(outcome("s:a.md#3", "a", split="test"), silent))
    rows = {row["skill"]: row for row in count_changes(changes, "skill").to_dicts()}
    assert {name: (row["added"], row["removed"], row["moved"]) for name, row in rows.items()} == {
        "(none)": (1, 0, 0),
        "call": (0, 1, 1),
    }


def test_rows_without_a_skill_have_the_name_that_reports_use() -> None:
    assert NO_SKILL == reports.NO_SKILL


def test_rows_of_splits_that_render_rejects_or_accepts_are_changes() -> None:
    names = ("id", "source", "skill", "utterance", "stage", "reason", "message")
    old = pl.DataFrame(
        [["s:a.md#3", "s", "call", "a", "render", "too_long", "m"]], schema=names, orient="row"
    )
    new = pl.DataFrame(
        [["s:a.md#7~speech", "s", "call", "c", "render", "too_long", "m"]], schema=names, orient="row"
    )
    pairs = pl.DataFrame([["s:a.md#3", "s:a.md#5"]], schema=("old_id", "id"), orient="row")
    kept = pl.DataFrame({"id": ["s:a.md#5", "s:a.md#7"]})
    changes = find_render_changes(old, new, pairs, kept)
    assert changes["rejected"]["id"].to_list() == ["s:a.md#7"]
    assert changes["accepted"].select("id", "old_reason").rows() == [("s:a.md#5", "too_long")]
    gone = find_render_changes(old, new, pairs, kept.head(0))
    assert gone["accepted"]["id"].to_list() == []


def test_a_hundred_thousand_rows_that_moved_are_compared_in_columns() -> None:
    count = 120_000
    number = pl.int_range(count, eager=True)
    texts = pl.select(pl.format("text {}", number)).to_series()

    def rows(shift: int, digests: pl.Expr) -> pl.DataFrame:
        place = (number % 1000) * 3 + 7 + shift
        constant = table(outcome("s:a.md#1")).drop("id", "digest", "utterance").head(1)
        changing = pl.select(
            id=pl.format("s:{}.md#{}", number // 1000, place), digest=digests, utterance=pl.lit(texts)
        )
        return changing.join(constant, how="cross").select(table().columns)

    edited = pl.when(number % 1000 == 5).then(pl.lit("edited ")).otherwise(pl.lit("")) + texts
    start = time.process_time()
    changes, pairs = find_changes(rows(0, pl.lit(texts)), rows(3, edited))
    assert time.process_time() - start < 60
    assert {kind: found.height for kind, found in changes.items() if found.height} == {"changed": 120}
    assert pairs.height == count
