"""The decisions of reviewers: rows that they reject, and rows that somebody should look at again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from exemplars.core.ledger import Problem
from exemplars.core.records import Reason
from exemplars.core.reviews import Decision
from stages.curate.agreement import measure_agreement
from stages.curate.review import make_review_item
from stages.curate.rows import Row
from stages.curate.steps.base import Curation, CurationStep
from stages.curate.verdicts import Judgment, Verdict, Verdicts


def apply_decisions(rows: list[Row], curation: Curation) -> list[Row]:
    """Reject the rows that reviewers reject; list those for review that they disagree on, or that changed since.

    Rows of sources with `review: required` wait in `Curation.candidates` for all others.
    """
    judgments = judge_rows(rows, curation.verdicts)
    curation.figures["decisions"] = count_decisions(rows, judgments, curation.verdicts)
    curation.review += [
        make_review_item(row, judgment.verdict.value, judgment.detail)
        for row in rows
        if (judgment := judgments.get(row.id)) is not None and judgment.detail
    ]
    problems = {
        row_id: _describe_rejection(judgment)
        for row_id, judgment in judgments.items()
        if judgment.verdict is Verdict.REJECTED
    }
    kept = curation.ledger.drop(rows, problems)
    curation.approved = {
        row_id: frozenset(review.reviewer for review in judgment.reviews)
        for row_id, judgment in judgments.items()
        if judgment.verdict is Verdict.APPROVED
    }
    curation.candidates = [row for row in kept if row.source in curation.candidate_sources]
    return [row for row in kept if row.source not in curation.candidate_sources]


def judge_rows(rows: Iterable[Row], verdicts: Verdicts) -> dict[str, Judgment]:
    """Judge the rows about which somebody has decided: their ids, each with its judgment."""
    return {row.id: judgment for row in rows if (judgment := verdicts.judge(row)) is not None}


def count_decisions(
    rows: Iterable[Row], judgments: Mapping[str, Judgment], verdicts: Verdicts
) -> dict[str, Any]:
    """Count rows by what is decided about them, decisions by reviewer, and the agreement of reviewers.

    `unknown_rows` are the ids of rows that decisions are about and that are not among the exemplars.
    """
    contents = verdicts.list_contents()
    counts = Counter(judgment.verdict for judgment in judgments.values())
    by_reviewer = Counter(review.reviewer for reviews in contents for review in reviews)
    known = {row.id for row in rows}
    return {
        **{verdict.value: counts[verdict] for verdict in Verdict},
        Decision.EDITED.value: verdicts.count_edited_rows(),
        "unknown_rows": [row_id for row_id in verdicts.rows if row_id not in known],
        "by_reviewer": dict(sorted(by_reviewer.items())),
        "agreement": measure_agreement(contents),
    }


def _describe_rejection(judgment: Judgment) -> Problem:
    names = " and ".join(review.reviewer for review in judgment.reviews)
    note = next((f" ({review.note})" for review in judgment.reviews if review.note), "")
    return Problem(
        Reason.REJECTED_BY_REVIEWER,
        summary=f"{names} decided against it{note}",
        fix="to keep it, decide again: `exemplars review`",
    )


STEP: Final = CurationStep("decisions of reviewers", apply_decisions)
