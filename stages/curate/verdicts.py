"""What the decisions of reviewers amount to for a row as it is now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple, Protocol

from exemplars.core.reviews import Decision, Review, ReviewedRow, RowEdit, resolve_decisions


class RowVersion(Protocol):
    """A row as it is now: an `Exemplar`, or what is known of one."""

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def digest(self) -> str: ...  # noqa: D102


class Verdict(StrEnum):
    """What is decided about a row."""

    APPROVED = "approved"
    """As it is: every reviewer who decided on this content approves it. An edit approves what it makes of a row."""
    REJECTED = "rejected"
    DISAGREEMENT = "disagreement"
    """Reviewers decided differently, so that nothing is decided."""
    STALE = "stale"
    """The row is not the one that was decided on, or an edit of it cannot be applied."""


class Judgment(NamedTuple):
    """The verdict on a row."""

    verdict: Verdict
    reviews: tuple[Review, ...]
    """The decisions that it follows from, by reviewer."""
    detail: str = ""
    """Why a person should look at the row; empty if nobody needs to."""


class Verdicts:
    """The decisions of all reviewers, by row."""

    def __init__(self, reviews: Iterable[Review] = (), edits: Iterable[RowEdit] = ()) -> None:
        """edits: those that `compile` has applied, or could not apply."""
        self._by_row: dict[str, dict[str, tuple[Review, ...]]] = defaultdict(dict)
        for (row, digest), resolution in resolve_decisions(reviews).items():
            self._by_row[row][digest] = resolution.decisions
        self._edits: dict[str, list[RowEdit]] = defaultdict(list)
        for edit in edits:
            self._edits[edit.id].append(edit)

    @property
    def rows(self) -> list[str]:
        """The ids of the rows that decisions are about, sorted."""
        return sorted(self._by_row)

    def list_contents(self) -> list[tuple[Review, ...]]:
        """List the decisions on each content of each row."""
        return [reviews for _, contents in sorted(self._by_row.items()) for reviews in contents.values()]

    def count_edited_rows(self) -> int:
        """Count the rows to which at least one edit was applied."""
        return sum(any(edit.after is not None for edit in edits) for edits in self._edits.values())

    def judge(self, row: RowVersion) -> Judgment | None:
        """Judge a row as `compile` left it; `None` if nobody has decided anything about it."""
        contents = self._by_row.get(row.id)
        if not contents:
            return None
        edits = self._edits.get(row.id, [])
        # An edit approves what it makes of the row, unless its author has decided on that, too.
        implied = [
            review for edit in edits if edit.after == row.digest for review in contents.get(edit.before, ())
        ]
        votes = {review.reviewer: review for review in (*implied, *contents.get(row.digest, ()))}
        if not votes:
            known = {row.digest, *(edit.before for edit in edits)}
            stale = [reviews for digest, reviews in contents.items() if digest not in known]
            return _judge_stale(stale)
        reviews = tuple(review for _, review in sorted(votes.items()))
        wishes = {_get_wish(review, row, edits) for review in reviews}
        if len(wishes) > 1:
            return Judgment(Verdict.DISAGREEMENT, reviews, _list_decisions(reviews))
        [wish] = wishes
        if isinstance(wish, Verdict):
            return Judgment(wish, reviews)
        problem = next((edit.problem for edit in edits if edit.before == row.digest), None)
        return Judgment(Verdict.STALE, reviews, f"{_list_decisions(reviews)}, but {problem}")


def _get_wish(review: Review, row: RowVersion, edits: Iterable[RowEdit]) -> Verdict | ReviewedRow | None:
    """Return what a decision asks for: a verdict on the row, or the content that an edit could not give it."""
    if review.decision is Decision.REJECTED:
        return Verdict.REJECTED
    applied = any(edit.before == row.digest and edit.after is not None for edit in edits)
    if review.decision is Decision.APPROVED or review.digest != row.digest or applied:
        return Verdict.APPROVED
    return review.after


def _judge_stale(contents: Iterable[tuple[Review, ...]]) -> Judgment | None:
    """Judge a row on which nobody has decided as it is now. contents: the decisions on what it was."""
    reviews = tuple(review for reviews in contents for review in reviews)
    if not reviews:
        return None
    return Judgment(Verdict.STALE, reviews, f"{_list_decisions(reviews)}, but the row has changed since")


def _list_decisions(reviews: Iterable[Review]) -> str:
    return ", ".join(f"{review.reviewer} {review.decision.value} it" for review in reviews)
