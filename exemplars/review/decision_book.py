"""What is decided about rows, as the file of decisions has it at this moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from exemplars.core import layout
from exemplars.core.reviews import Decision, Resolution, Review, RowContent, RowEdit, resolve_decisions
from exemplars.core.schemas import derive_schema
from exemplars.core.tables import read_table, rows_from_table
from exemplars.review.decision_log import DecisionLog


class RowState(NamedTuple):
    """What is decided about a row."""

    own: Review | None
    """The decision of this reviewer on the row as it is."""
    others: tuple[Review, ...]
    """Those of the other reviewers on the row as it is."""
    stale: tuple[Review, ...]
    """Decisions on other content that the row had, if nobody has decided about it as it is."""
    problem: str | None = None
    """Why an edit of the row could not be applied."""

    @property
    def is_disputed(self) -> bool:
        """Whether reviewers disagree about the row."""
        decisions = (*self.others, *(() if self.own is None else (self.own,)))
        return len({(review.decision, review.after) for review in decisions}) > 1


class AppliedEdits(NamedTuple):
    """What `compile` has made of the edits when it ran last."""

    before: Mapping[RowContent, str]
    """The digest before the edit, by row and the digest after it."""
    problems: Mapping[RowContent, str]
    """Why an edit was not applied, by row and its digest."""


def read_applied_edits() -> AppliedEdits:
    """Read what `compile` has made of the edits; nothing if it has not run since there are edits."""
    if not layout.EDITS.exists():
        return AppliedEdits({}, {})
    edits = rows_from_table(read_table(layout.EDITS, derive_schema(RowEdit)), RowEdit)
    return AppliedEdits(
        {(edit.id, edit.after): edit.before for edit in edits if edit.after is not None},
        {(edit.id, edit.before): edit.problem for edit in edits if edit.problem is not None},
    )


class DecisionBook:
    """The decisions of the project in the working folder; the file is read again when it has changed."""

    def __init__(self, reviewer: str) -> None:
        """Read the file. reviewer: who decides here. Raises `UserError` with everything that is wrong with it."""
        self.reviewer = reviewer
        self._log = DecisionLog()
        self._applied = AppliedEdits({}, {})
        self._signature: tuple[int, int, int] | None = None
        self._reviews: tuple[Review, ...] = ()
        self._by_row: dict[str, dict[str, Resolution]] = {}
        self.resolutions: Mapping[RowContent, Resolution] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read the file if it has changed. Raises `UserError` if it is broken."""
        signature = _sign()
        if signature == self._signature:
            return
        self._reviews = self._log.read() if signature is not None else ()
        by_row: dict[str, dict[str, Resolution]] = defaultdict(dict)
        self.resolutions = resolve_decisions(self._reviews)
        for (row, digest), resolution in self.resolutions.items():
            by_row[row][digest] = resolution
        self._by_row, self._signature = dict(by_row), signature

    def append(self, review: Review) -> None:
        """Append a decision, and return when it is on the disk; see `DecisionLog.append`."""
        self._log.append(review)
        self.refresh()

    def apply_edits(self, applied: AppliedEdits) -> None:
        """Take note of the edits that `compile` has applied."""
        self._applied = applied

    def get_state(self, row_id: str, digest: str) -> RowState:
        """Return what is decided about a row. digest: of its content as it is.

        The decision that has made the row what it is counts for what it is now.
        """
        by_digest = self._by_row.get(row_id, {})
        counted: str | None = digest
        seen = set()
        while counted is not None and counted not in by_digest and counted not in seen:
            seen.add(counted)
            counted = self._applied.before.get((row_id, counted))
        current = by_digest[counted].decisions if counted in by_digest else ()
        own = next((review for review in current if review.reviewer == self.reviewer), None)
        others = tuple(review for review in current if review.reviewer != self.reviewer)
        stale = [review for resolution in by_digest.values() for review in resolution.decisions]
        problem = self._applied.problems.get((row_id, digest))
        return RowState(own, others, () if current else tuple(stale), problem)

    def list_decided(self) -> list[str]:
        """List the ids of the rows about which anybody has decided."""
        return list(self._by_row)

    def find(self, decision_id: str) -> Review | None:
        """Find a decision by its id."""
        return next((review for review in self._reviews if review.decision_id == decision_id), None)

    def find_last(self) -> Review | None:
        """Find the last decision of this reviewer that is not withdrawn; `None` if it does not exist."""
        withdrawn = {review.withdraws for review in self._reviews}
        return next(
            (
                review
                for review in reversed(self._reviews)
                if review.reviewer == self.reviewer
                and review.decision is not Decision.WITHDRAWN
                and review.decision_id not in withdrawn
            ),
            None,
        )

    def list_reviewers(self) -> Sequence[str]:
        """List all who have decided."""
        return sorted({review.reviewer for review in self._reviews})


def _sign() -> tuple[int, int, int] | None:
    try:
        status = layout.REVIEWS.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
