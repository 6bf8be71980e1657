"""What is decided about rows, as the file of decisions has it at this moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple, TypeVar

from exemplars.core import layout
from exemplars.core.reviews import Decision, Resolution, Review, RowContent, RowEdit, resolve_decisions
from exemplars.core.schemas import derive_schema
from exemplars.core.tables import read_table, rows_from_table
from exemplars.review.decision_log import DecisionLog
from exemplars.review.index_columns import sign_file
from stages.curate.verdicts import Verdict, Verdicts

T = TypeVar("T")


class ShownRow(NamedTuple):
    """A row as it is shown."""

    id: str
    digest: str


class RowState(NamedTuple):
    """What is decided about a row."""

    own: Review | None = None
    """The decision of this reviewer on the row as it is."""
    others: tuple[Review, ...] = ()
    """Those of the other reviewers on the row as it is."""
    stale: tuple[Review, ...] = ()
    """Decisions on other content that the row had, if nobody has decided about it as it is."""
    verdict: Verdict | None = None
    """What `curate` makes of all this; `None`: nobody has decided anything."""
    detail: str = ""
    """Why a person should look at the row because of the decisions; empty if nobody needs to."""

    @property
    def is_disputed(self) -> bool:
        """Whether reviewers disagree about the row."""
        return self.verdict is Verdict.DISAGREEMENT

    @property
    def is_stale(self) -> bool:
        """Whether no decision applies since the row has changed, or since an edit of it does not compile."""
        return self.verdict is Verdict.STALE


class DecisionBook:
    """The decisions of the project in the working folder; the files are read again when they have changed."""

    def __init__(self, reviewer: str) -> None:
        """Read the files. reviewer: who decides here. Raises `UserError` with everything that is wrong with them."""
        self.reviewer = reviewer
        self._log = DecisionLog()
        self._signatures: tuple[object, object] = (None, None)
        self._reviews: tuple[Review, ...] = ()
        self._by_row: dict[str, list[Review]] = {}
        self._edits: dict[str, list[RowEdit]] = {}
        self._states: dict[ShownRow, RowState] = {}
        """Those that were asked for since a decision about the row."""
        self.refresh()

    def refresh(self) -> None:
        """Read the files if they have changed. Raises `UserError` if one is broken."""
        decisions, edits = map(sign_file, (layout.REVIEWS, layout.EDITS))
        if edits != self._signatures[1]:
            self._edits = _group_by_row(_read_edits(), attrgetter("id"))
            self._states = {}
        if decisions != self._signatures[0]:
            self._take_reviews(self._log.read() if decisions is not None else ())
        self._signatures = (decisions, edits)

    def _take_reviews(self, reviews: tuple[Review, ...]) -> None:
        """Take the decisions of the file; those at the end of it change nothing for other rows."""
        added = reviews[len(self._reviews) :]
        if reviews[: len(self._reviews)] != self._reviews:
            added, self._by_row, self._states = reviews, {}, {}
        self._reviews = reviews
        for review in added:
            self._by_row.setdefault(review.row, []).append(review)
        changed = {review.row for review in added}
        self._states = {row: state for row, state in self._states.items() if row.id not in changed}

    def append(self, review: Review) -> None:
        """Append a decision, and return when it is on the disk; see `DecisionLog.append`."""
        self._log.append(review)
        self.refresh()

    def get_state(self, row_id: str, digest: str) -> RowState:
        """Return what is decided about a row. digest: of its content as it is."""
        if row_id not in self._by_row:
            return RowState()
        row = ShownRow(row_id, digest)
        if row not in self._states:
            self._states[row] = self._judge(row)
        return self._states[row]

    def _judge(self, row: ShownRow) -> RowState:
        judgment = Verdicts(self._by_row[row.id], self._edits.get(row.id, ())).judge(row)
        if judgment is None:
            return RowState()
        reviews, verdict = judgment.reviews, judgment.verdict
        if verdict is Verdict.STALE and all(review.digest != row.digest for review in reviews):
            return RowState(stale=reviews, verdict=verdict, detail=judgment.detail)
        own = next((review for review in reviews if review.reviewer == self.reviewer), None)
        others = tuple(review for review in reviews if review is not own)
        return RowState(own, others, (), verdict, judgment.detail)

    def resolve(self, row_id: str) -> Mapping[RowContent, Resolution]:
        """Resolve the decisions that count on each content of a row."""
        return resolve_decisions(self._by_row.get(row_id, ()))

    def list_decided(self) -> list[str]:
        """List the ids of the rows about which anybody has decided."""
        return sorted(self._by_row)

    def has_decisions(self, row_id: str) -> bool:
        """Return whether anybody has decided about a row, or about what it was."""
        return row_id in self._by_row

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


def _group_by_row(items: Iterable[T], get_id: Callable[[T], str]) -> dict[str, list[T]]:
    groups: dict[str, list[T]] = {}
    for item in items:
        groups.setdefault(get_id(item), []).append(item)
    return groups


def _read_edits() -> Sequence[RowEdit]:
    """Read what `compile` has made of the edits; nothing if it has not run since there are edits."""
    if not layout.EDITS.exists():
        return ()
    return rows_from_table(read_table(layout.EDITS, derive_schema(RowEdit)), RowEdit)
