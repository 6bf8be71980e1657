"""Decisions for tests, about rows of `tests.curate.rows`."""

from __future__ import annotations

from exemplars.core.records import Exemplar
from exemplars.core.reviews import Decision, Review, ReviewedRow


def make_review(
    number: int,
    row: Exemplar,
    decision: Decision = Decision.APPROVED,
    reviewer: str = "ada",
    digest: str = "",
    after: ReviewedRow | None = None,
    note: str | None = None,
) -> Review:
    """Make a decision about a row. number: of the decision, later ones are greater. digest: unless it is the row's."""
    return Review(
        decision_id=f"{number:032x}",
        row=row.id,
        digest=digest or row.digest,
        decision=decision,
        after=after,
        reviewer=reviewer,
        time=f"2026-11-27T20:00:{number:02}Z",
        note=note,
    )
