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
from stages.curate.rows import Row, Rows
from stages.curate.steps.base import Approval, Curation, CurationStep
from stages.curate.verdicts import Judgment, Verdict, Verdicts


def apply_decisions(rows: Rows, curation: Curation) -> Rows:
    """Reject the rows that reviewers reject; list those for review that they disagree on, or that changed since.

    Rows of sources with `review: required` wait in `Curation.candidates` for all others.
    """
    decided = list(rows.table.find(curation.verdicts.rows))
    judgments = judge_rows(decided, curation.verdicts)
    curation.figures["decisions"] = count_decisions(decided, judgments, curation.verdicts)
    curation.review += [
        make_review_item(row, judgment.verdict.value, judgment.detail)
        for row in decided
        if (judgment := judgments.get(row.number)) is not None and judgment.detail
    ]
    problems = {
        number: _describe_rejection(judgment)
        for number, judgment in judgments.items()
        if judgment.verdict is Verdict.REJECTED
    }
    kept = curation.ledger.drop_found(rows, problems)
    curation.approved = {
        row.number: Approval(row.id, frozenset(review.reviewer for review in judgment.reviews))
        for row in decided
        if (judgment := judgments.get(row.number)) is not None and judgment.verdict is Verdict.APPROVED
    }
    is_candidate = kept.match("source", curation.candidate_sources)
    curation.candidates = kept.select(is_candidate)
    return kept.select(~is_candidate)


def judge_rows(rows: Iterable[Row], verdicts: Verdicts) -> dict[int, Judgment]:
    """Judge the rows about which somebody has decided: their numbers, each with its judgment."""
    return {row.number: judgment for row in rows if (judgment := verdicts.judge(row)) is not None}


def count_decisions(
    rows: Iterable[Row], judgments: Mapping[int, Judgment], verdicts: Verdicts
) -> dict[str, Any]:
    """Count rows by what is decided about them, decisions by reviewer, and the agreement of reviewers.

    rows: about which somebody has decided. `unknown_rows` are the ids of rows that decisions are about and that are not
    among the exemplars.
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
