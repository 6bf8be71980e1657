"""Decisions of reviewers, as `curate` applies them: no row is lost, and nothing applies that somebody must see again."""

from __future__ import annotations

import pytest

from exemplars.core.records import Exemplar, Reason
from exemplars.core.reviews import Decision, Review, RowEdit
from stages.curate.report import build_curate_metrics
from stages.curate.verdicts import Verdicts
from tests.curate.reviews import make_review
from tests.curate.rows import Result, curate_exemplars, make_argument, make_row, make_turn
from tests.curate.test_curation import CALL, PARAMS

MUM, DAD = make_row("1", "call mum please"), make_row("2", "call dad now")


def curate_reviewed(rows: list[Exemplar], *reviews: Review, edits: tuple[RowEdit, ...] = ()) -> Result:
    return curate_exemplars(rows, PARAMS, (CALL,), verdicts=Verdicts(reviews, edits))


def test_a_rejected_row_is_in_the_ledger_with_its_reviewer() -> None:
    review = make_review(1, MUM, Decision.REJECTED, note="nobody says that")
    curated = curate_reviewed([MUM, DAD], review)
    assert [row.id for row in curated.kept] == ["s:2"]
    [rejection] = curated.rejections
    assert (rejection.id, rejection.reason) == ("s:1", Reason.REJECTED_BY_REVIEWER)
    assert rejection.message == (
        "a.md:1: ada decided against it (nobody says that); to keep it, decide again: `exemplars review`"
    )


def test_an_approved_row_leaves_the_review_list() -> None:
    row = make_row("1", "call mum at 415-286-4371")
    assert [item.why for item in curate_reviewed([row]).review] == ["personal_data"]
    assert curate_reviewed([row], make_review(1, row)).review == []


def test_an_approved_row_is_checked_like_any_other() -> None:
    row = make_row("1", "call <b>dad</b>")
    curated = curate_reviewed([row], make_review(1, row))
    assert [rejection.reason for rejection in curated.rejections] == [Reason.LOW_QUALITY]


def test_a_stale_decision_is_not_applied_and_the_row_is_shown_again() -> None:
    curated = curate_reviewed([MUM, DAD], make_review(1, MUM, Decision.REJECTED, digest="0" * 64))
    assert [row.id for row in curated.kept] == ["s:1", "s:2"]
    assert [(item.id, item.why, item.detail) for item in curated.review] == [
        ("s:1", "stale", "ada rejected it, but the row has changed since")
    ]
    assert curated.report["decisions"]["stale"] == 1


def test_a_disagreement_is_not_applied_and_is_on_the_review_list() -> None:
    curated = curate_reviewed([MUM], make_review(1, MUM), make_review(2, MUM, Decision.REJECTED, "bob"))
    assert [row.id for row in curated.kept] == ["s:1"]
    assert [(item.id, item.why, item.detail) for item in curated.review] == [
        ("s:1", "disagreement", "ada approved it, bob rejected it")
    ]


def test_a_decision_about_a_row_that_is_not_there_is_reported_by_name() -> None:
    curated = curate_reviewed([DAD], make_review(1, MUM), make_review(2, DAD))
    assert curated.report["decisions"]["unknown_rows"] == ["s:1"]
    assert curated.summary == (
        "curate: 1 rows in, 1 kept, 0 rejected; 0 to review; decisions about rows that are not there: s:1"
    )


def test_a_rejected_call_takes_its_turn_with_it() -> None:
    text = "call mum and dad"
    calls = make_turn(
        "1",
        text,
        ("call", (make_argument("who", "mum", text),)),
        ("call", (make_argument("who", "dad", text),)),
    )
    curated = curate_reviewed(calls, make_review(1, calls[1], Decision.REJECTED))
    assert [(rejection.id, rejection.reason) for rejection in curated.rejections] == [
        ("s:1/0", Reason.INCOMPLETE_TURN),
        ("s:1/1", Reason.REJECTED_BY_REVIEWER),
    ]


def test_the_report_counts_rows_reviewers_and_agreement() -> None:
    before = "b" * 64
    edit = make_review(1, MUM, Decision.EDITED, digest=before, after=None)
    reviews = (edit, make_review(2, DAD, Decision.REJECTED), make_review(3, DAD, Decision.REJECTED, "bob"))
    curated = curate_reviewed(
        [MUM, DAD], *reviews, edits=(RowEdit(MUM.id, edit.decision_id, before, MUM.digest),)
    )
    report = curated.report
    assert report["decisions"] == {
        "approved": 1,
        "rejected": 1,
        "disagreement": 0,
        "stale": 0,
        "edited": 1,
        "unknown_rows": [],
        "by_reviewer": {"ada": 2, "bob": 1},
        "agreement": [{"reviewers": ["ada", "bob"], "rows": 1, "agreement": 1.0, "kappa": None}],
    }
    assert build_curate_metrics(report)["to_review"] == 0


@pytest.mark.parametrize("decision", [Decision.APPROVED, Decision.REJECTED])
def test_the_order_of_lines_does_not_matter(decision: Decision) -> None:
    reviews = [make_review(1, MUM), make_review(2, MUM, decision), make_review(3, DAD, decision, "bob")]
    assert curate_reviewed([MUM, DAD], *reviews) == curate_reviewed([MUM, DAD], *reversed(reviews))
