"""The rows of `data/curated/review.parquet`."""

from __future__ import annotations

from exemplars.core.records import Exemplar, ReviewItem


def make_review_item(
    exemplar: Exemplar, why: str, detail: str, score: float | None = None, suggested: str | None = None
) -> ReviewItem:
    """Build the review item of a row.

    why: see `ReviewItem`. suggested: a better label, if there is a suggestion.
    """
    return ReviewItem(
        id=exemplar.id,
        why=why,
        detail=detail,
        score=score,
        skill=exemplar.skill,
        suggested=suggested,
        path=exemplar.origin.path,
        locator=exemplar.origin.locator,
        utterance=exemplar.utterance,
    )
