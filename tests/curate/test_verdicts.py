"""What decisions amount to for a row as it is now."""

from __future__ import annotations

import pytest

from exemplars.core.records import Mode
from exemplars.core.reviews import Decision, Review, ReviewedRow, RowEdit
from stages.curate.verdicts import Judgment, Verdict, Verdicts
from tests.curate.reviews import make_review
from tests.curate.rows import make_row

ROW = make_row("1", "call mum")
BEFORE = "b" * 64
AFTER = ReviewedRow("call mum", "call", Mode.NORMAL)
APPROVED = make_review(1, ROW)
REJECTED = make_review(2, ROW, Decision.REJECTED, "bob")
EDIT = make_review(3, ROW, Decision.EDITED, digest=BEFORE, after=AFTER)
APPLIED = RowEdit(ROW.id, EDIT.decision_id, BEFORE, ROW.digest)


def judge(*reviews: Review, edits: tuple[RowEdit, ...] = ()) -> Judgment | None:
    return Verdicts(reviews, edits).judge(ROW)


def test_nobody_decided() -> None:
    assert judge() is None
    assert judge(make_review(1, make_row("2", "call dad"))) is None


@pytest.mark.parametrize(
    ("reviews", "verdict"),
    [
        ((APPROVED,), Verdict.APPROVED),
        ((REJECTED,), Verdict.REJECTED),
        ((APPROVED, make_review(2, ROW, reviewer="bob")), Verdict.APPROVED),
        ((APPROVED, make_review(2, ROW, Decision.REJECTED)), Verdict.REJECTED),
        ((REJECTED, make_review(4, ROW, Decision.REJECTED)), Verdict.REJECTED),
    ],
)
def test_decisions_that_agree_hold(reviews: tuple[Review, ...], verdict: Verdict) -> None:
    judgment = judge(*reviews)
    assert judgment is not None
    assert (judgment.verdict, judgment.detail) == (verdict, "")


def test_reviewers_who_disagree_decide_nothing() -> None:
    detail = "ada approved it, bob rejected it"
    assert judge(APPROVED, REJECTED) == Judgment(Verdict.DISAGREEMENT, (APPROVED, REJECTED), detail)


def test_a_decision_on_other_content_is_stale() -> None:
    stale = make_review(1, ROW, Decision.REJECTED, digest=BEFORE)
    detail = "ada rejected it, but the row has changed since"
    assert judge(stale) == Judgment(Verdict.STALE, (stale,), detail)


def test_a_decision_on_the_row_as_it_is_replaces_a_stale_one() -> None:
    stale = make_review(1, ROW, Decision.REJECTED, digest=BEFORE)
    assert judge(stale, make_review(2, ROW)) == Judgment(Verdict.APPROVED, (make_review(2, ROW),))


def test_an_edit_approves_what_it_makes_of_the_row() -> None:
    assert judge(EDIT, edits=(APPLIED,)) == Judgment(Verdict.APPROVED, (EDIT,))


def test_another_reviewer_may_disagree_with_an_edited_row() -> None:
    judgment = judge(EDIT, REJECTED, edits=(APPLIED,))
    assert judgment == Judgment(Verdict.DISAGREEMENT, (EDIT, REJECTED), "ada edited it, bob rejected it")


def test_the_author_of_an_edit_may_think_better_of_it() -> None:
    rejected = make_review(4, ROW, Decision.REJECTED)
    assert judge(EDIT, rejected, edits=(APPLIED,)) == Judgment(Verdict.REJECTED, (rejected,))


def test_an_edit_that_could_not_be_applied_is_stale_and_says_why() -> None:
    edit = make_review(1, ROW, Decision.EDITED, after=AFTER)
    failed = RowEdit(ROW.id, edit.decision_id, ROW.digest, None, "a.md:1: found slot 'whom'")
    detail = "ada edited it, but a.md:1: found slot 'whom'"
    assert judge(edit, edits=(failed,)) == Judgment(Verdict.STALE, (edit,), detail)


def test_edits_that_differ_are_a_disagreement() -> None:
    other = ReviewedRow("call dad", "call", Mode.NORMAL)
    edits = [
        make_review(1, ROW, Decision.EDITED, after=AFTER),
        make_review(2, ROW, Decision.EDITED, "bob", after=other),
    ]
    judgment = judge(*edits)
    assert judgment is not None
    assert judgment.verdict is Verdict.DISAGREEMENT


def test_an_edit_back_to_the_first_content_approves_it() -> None:
    first = make_review(1, ROW, Decision.EDITED, after=AFTER)
    back = make_review(2, ROW, Decision.EDITED, digest=BEFORE, after=AFTER)
    edits = (
        RowEdit(ROW.id, first.decision_id, ROW.digest, BEFORE),
        RowEdit(ROW.id, back.decision_id, BEFORE, ROW.digest),
    )
    judgment = judge(first, back, edits=edits)
    assert judgment is not None
    assert judgment.verdict is Verdict.APPROVED
