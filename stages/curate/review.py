"""The rows of `data/curated/review.parquet`."""

from __future__ import annotations

from exemplars.core.ledger import Rejectable
from exemplars.core.records import ReviewItem


def make_review_item(
    row: Rejectable, why: str, detail: str, score: float | None = None, suggested: str | None = None
) -> ReviewItem:
    """Build the review item of a row.

    why: see `ReviewItem`. suggested: a better label, if there is a suggestion.
    """
    return ReviewItem(
        id=row.id,
        why=why,
        detail=detail,
        score=score,
        skill=row.skill,
        suggested=suggested,
        path=row.origin.path,
        locator=row.origin.locator,
        utterance=row.utterance or "",
    )
