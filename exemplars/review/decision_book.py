"""What is decided about rows, as the file of decisions has it at this moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from exemplars.core import layout
from exemplars.core.reviews import Decision, Resolution, Review, resolve_decisions
from exemplars.review.decision_log import DecisionLog


class RowState(NamedTuple):
    """What is decided about a row."""

    own: Review | None
    """The decision of this reviewer on the row as it is."""
    others: tuple[Review, ...]
    """Those of the other reviewers on the row as it is."""
    stale: tuple[Review, ...]
    """Decisions on other content that the row had, if nobody has decided about it as it is."""

    @property
    def is_disputed(self) -> bool:
        """Whether reviewers disagree about the row."""
        decisions = (*self.others, *(() if self.own is None else (self.own,)))
        return len({(review.decision, review.after) for review in decisions}) > 1


class DecisionBook:
    """The decisions of the project in the working folder; the file is read again when it has changed."""

    def __init__(self, reviewer: str) -> None:
        """Read the file. reviewer: who decides here. Raises `UserError` with everything that is wrong with it."""
        self.reviewer = reviewer
        self._log = DecisionLog()
        self._signature: tuple[int, int, int] | None = None
        self._reviews: tuple[Review, ...] = ()
        self._by_row: dict[str, dict[str, Resolution]] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read the file if it has changed. Raises `UserError` if it is broken."""
        signature = _sign()
        if signature == self._signature:
            return
        self._reviews = self._log.read() if signature is not None else ()
        by_row: dict[str, dict[str, Resolution]] = defaultdict(dict)
        for (row, digest), resolution in resolve_decisions(self._reviews).items():
            by_row[row][digest] = resolution
        self._by_row, self._signature = dict(by_row), signature

    def append(self, review: Review) -> None:
        """Append a decision, and return when it is on the disk; see `DecisionLog.append`."""
        self._log.append(review)
        self.refresh()

    def get_state(self, row_id: str, digest: str) -> RowState:
        """Return what is decided about a row. digest: of its content as it is."""
        by_digest = self._by_row.get(row_id, {})
        current = by_digest[digest].decisions if digest in by_digest else ()
        own = next((review for review in current if review.reviewer == self.reviewer), None)
        others = tuple(review for review in current if review.reviewer != self.reviewer)
        stale = (
            ()
            if current
            else tuple(review for resolution in by_digest.values() for review in resolution.decisions)
        )
        return RowState(own, others, stale)

    def list_decided(self) -> list[str]:
        """List the ids of the rows about which anybody has decided."""
        return list(self._by_row)

    def find(self, decision_id: str) -> Review | None:
        """Find a decision by its id."""
        return next((review for review in self._reviews if review.decision_id == decision_id), None)

    def find_last(self) -> Review | None:
        """Find the last decision of this reviewer that is not withdrawn; `None` if there is none."""
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
