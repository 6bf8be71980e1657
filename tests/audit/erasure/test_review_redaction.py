"""Which decisions of reviewers say what is to be erased, and what a redacted line keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from exemplars.audit.erasure.review_redaction import ReviewMatches, find_reviews, redact_reviews
from exemplars.core.records import Mode
from exemplars.core.reviews import (
    Decision,
    Review,
    ReviewedArgument,
    ReviewedRow,
    encode_review,
    parse_reviews,
    resolve_decisions,
)
from stages.ingest.tombstones import Erasures, Tombstone

ERASURES = Erasures((Tombstone(id="t1", pattern="Augusta", reviewer="Kim", reason="asked"),), b"k" * 16)
RING = ReviewedRow(
    "ring Augusta", "call", Mode.NORMAL, (ReviewedArgument("who", "Augusta", "Augusta", 5, 12),)
)
STOP = ReviewedRow("stop", None, Mode.NONE)
REVIEWS = (
    Review(
        decision_id="0" * 31 + "1",
        row="s:a.md#1",
        digest="d" * 64,
        decision=Decision.EDITED,
        before=STOP,
        after=RING,
        reviewer="ada",
        time="2026-11-27T20:00:00Z",
    ),
    Review(
        decision_id="0" * 31 + "2",
        row="s:a.md#2",
        digest="d" * 64,
        decision=Decision.REJECTED,
        reviewer="ada",
        time="2026-11-27T20:00:00Z",
        note="nobody says that",
    ),
    Review(
        decision_id="0" * 31 + "3",
        row="s:a.md#3",
        digest="d" * 64,
        decision=Decision.APPROVED,
        reviewer="ada",
        time="2026-11-27T20:00:00Z",
    ),
)
DATA = b"\n" + b"".join(map(encode_review, REVIEWS))


def find(tmp_path: Path, erasures: Erasures, rows: set[str], text: bytes = b"none of these") -> ReviewMatches:
    path = tmp_path / "data/raw/reviews.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(DATA)
    return find_reviews(tmp_path, erasures, rows, lambda line: text in line)


@pytest.mark.parametrize(
    ("erasures", "rows", "text", "ids", "tombstones"),
    [
        (ERASURES, set(), b"none of these", {"1"}, {"t1"}),
        (Erasures(), {"s:a.md#2", "s:a.md#3"}, b"none of these", {"2"}, set()),
        (Erasures(), set(), b"ring Augusta", {"1"}, set()),
        (Erasures(), set(), b"none of these", set(), set()),
    ],
)
def test_decisions_are_found_by_rule_by_row_and_by_text(
    tmp_path: Path, erasures: Erasures, rows: set[str], text: bytes, ids: set[str], tombstones: set[str]
) -> None:
    found = find(tmp_path, erasures, rows, text)
    assert found.ids == {name.zfill(32) for name in ids}
    assert found.tombstones == tombstones


def test_a_redacted_line_keeps_who_decided_what_about_which_row_and_when() -> None:
    redacted = redact_reviews(DATA, {"1".zfill(32), "2".zfill(32)})
    assert redacted.splitlines()[3] == DATA.splitlines()[3]
    reviews = parse_reviews(redacted)
    erased = ReviewedRow("[erased]", None, Mode.NONE)
    assert (reviews[0].before, reviews[0].after, reviews[1].note) == (erased, erased, None)
    for before, after in zip(REVIEWS, reviews, strict=True):
        assert [before.decision_id, before.content, before.decision, before.reviewer, before.time] == [
            after.decision_id, after.content, after.decision, after.reviewer, after.time,
        ]  # fmt: skip


def test_a_redacted_edit_does_not_count() -> None:
    reviews = parse_reviews(redact_reviews(DATA, {"1".zfill(32)}))
    assert ("s:a.md#1", "d" * 64) not in resolve_decisions(reviews)
    assert len(resolve_decisions(reviews)) == 2


def test_a_project_without_decisions_has_none_to_redact(tmp_path: Path) -> None:
    assert find_reviews(tmp_path, ERASURES, {"s:a.md#1"}, lambda _: True) == ReviewMatches()
