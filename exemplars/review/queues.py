"""The lists of rows that a person should decide about, each with why."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

import polars as pl

from exemplars.audit.expected_leaks import find_expected_leaks
from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError, suggest_name, summarize_names
from exemplars.core.records import Reason
from exemplars.review.dataset_index import DatasetIndex
from exemplars.review.decision_book import DecisionBook, RowState


class Queue(StrEnum):
    """A list of rows."""

    GENERATED = "generated"
    """Rows of sources with `review: required` that nobody has approved yet."""
    CONFLICTS = "conflicts"
    """Rows whose texts have several labels."""
    LABEL_NOISE = "label-noise"
    """Rows whose skill is likely wrong."""
    ERRORS = "errors"
    """Test rows that a system answered wrong, those of most systems first."""
    DISAGREEMENT = "disagreement"
    """Rows about which reviewers disagree, then test rows to which trained systems give different answers."""
    PRIVACY = "privacy"
    """Rows with personal data that no argument labels."""
    QUALITY = "quality"
    """Rows whose text has a flag: too long, repetitive, another language."""
    STALE = "stale"
    """Rows that have changed since somebody decided about them, so that no decision applies."""


QUEUES: Final = tuple(map(str, Queue))
_ON_THE_LIST: Final = {
    Queue.CONFLICTS: "conflict",
    Queue.LABEL_NOISE: "label_noise",
    Queue.PRIVACY: "personal_data",
    Queue.QUALITY: "quality",
}
"""What `curate` calls these on its review list."""
_TITLES: Final = {
    Queue.PRIVACY: "personal data that no argument labels: ",
    Queue.QUALITY: "the text is flagged: ",
}
"""What precedes the details of these."""
_BASELINES: Final = ("knn", "cascade")
"""The systems that are no model of their own, so that what they say is no second opinion."""


class Entry(NamedTuple):
    """A row of a queue."""

    row: str
    why: str
    suggested: str | None = None
    """A better skill, if there is a suggestion."""


class QueueState(NamedTuple):
    """A queue as a reviewer sees it."""

    entries: tuple[Entry, ...]
    """Those that the reviewer has not decided, the ones that nobody has decided first."""
    decided: int
    """The rows that the reviewer has decided."""


def check_queue(name: str | None) -> None:
    """Raise `UserError` if there is no queue of that name; `None` is the first one that has rows."""
    if name is not None and name not in QUEUES:
        problem = Diagnostic(
            path="exemplars review",
            code="unknown_queue",
            found=f"--queue {name}",
            expected=f"one of {summarize_names(QUEUES, len(QUEUES))}",
            fix=suggest_name(name, QUEUES) or "correct the name",
        )
        raise UserError([problem])


class QueueLists:
    """The queues of an index, each read once."""

    def __init__(self, index: DatasetIndex) -> None:
        """Make the lists when they are asked for."""
        self._index = index
        self._lists: dict[Queue, list[Entry]] = {}
        self._digests: dict[str, str | None] = {}

    def build(self, queue: Queue, book: DecisionBook) -> QueueState:
        """Build a queue as the reviewer of a book sees it."""
        entries = self._list_all(queue, book)
        fresh: list[Entry] = []
        seconds: list[Entry] = []
        decided = 0
        states = self.get_states({entry.row for entry in entries}, book)
        for entry in {entry.row: entry for entry in reversed(entries)}.values():
            state = states.get(entry.row)
            if state is None:
                continue
            is_open = (queue is Queue.DISAGREEMENT and state.is_disputed) or state.is_stale
            if state.own is not None and not is_open:
                decided += 1
            elif state.others:
                seconds.append(entry)
            else:
                fresh.append(entry)
        return QueueState((*reversed(fresh), *reversed(seconds)), decided)

    def find_entry(self, queue: str, row_id: str, book: DecisionBook) -> Entry | None:
        """Find why a row is in a queue; `None` if it is in none of that name."""
        if queue not in QUEUES:
            return None
        entries = self._list_all(Queue(queue), book)
        return next((entry for entry in entries if entry.row == row_id), None)

    def get_states(self, row_ids: Iterable[str], book: DecisionBook) -> dict[str, RowState]:
        """Return what is decided about rows, by id; rows that are not compiled are left out."""
        row_ids = list(row_ids)
        unknown = [row_id for row_id in row_ids if row_id not in self._digests]
        self._digests |= dict.fromkeys(unknown) | self._index.read_digests(unknown)
        digests = ((row_id, self._digests[row_id]) for row_id in row_ids)
        return {row_id: book.get_state(row_id, digest) for row_id, digest in digests if digest is not None}

    def _list_all(self, queue: Queue, book: DecisionBook) -> list[Entry]:
        if queue is Queue.STALE:
            return self._list_stale(book)
        entries = self._list_entries(queue)
        return [*self._list_disputes(book), *entries] if queue is Queue.DISAGREEMENT else entries

    def _list_entries(self, queue: Queue) -> list[Entry]:
        if queue not in self._lists:
            self._lists[queue] = self._read_entries(queue)
        return self._lists[queue]

    def _read_entries(self, queue: Queue) -> list[Entry]:
        match queue:
            case Queue.GENERATED:
                return _list_waiting(self._index)
            case Queue.ERRORS:
                return _list_errors(self._index.answers)
            case Queue.DISAGREEMENT:
                return _list_different_answers(self._index.answers)
            case _:
                return _read_review_list(queue)

    def _list_disputes(self, book: DecisionBook) -> list[Entry]:
        states = self.get_states(book.list_decided(), book)
        return [
            Entry(row_id, f"reviewers disagree: {state.detail}")
            for row_id, state in states.items()
            if state.is_disputed
        ]

    def _list_stale(self, book: DecisionBook) -> list[Entry]:
        states = self.get_states(book.list_decided(), book)
        return [Entry(row_id, state.detail) for row_id, state in states.items() if state.is_stale]


def _list_waiting(index: DatasetIndex) -> list[Entry]:
    """List the rows that wait for approval; those that would leak if they were approved come last."""
    row_ids = index.list_ids(Reason.PENDING_REVIEW)
    leaks = find_expected_leaks(index.read_exemplars(row_ids))
    fine = [
        Entry(row_id, "waits for approval: its source needs review")
        for row_id in row_ids
        if row_id not in leaks
    ]
    leaking = [
        Entry(row_id, f"waits for approval, but would not train even then: {leaks[row_id].found}")
        for row_id in row_ids
        if row_id in leaks
    ]
    return [*fine, *leaking]


def _read_review_list(queue: Queue) -> list[Entry]:
    if not layout.REVIEW.exists():
        return []
    found = (
        pl.scan_parquet(layout.REVIEW)
        .filter(pl.col("why") == _ON_THE_LIST[queue])
        .sort("score", "id", descending=[True, False], nulls_last=True)
        .select("id", "detail", "suggested")
        .collect()
    )
    title = _TITLES.get(queue, "")
    return [Entry(row_id, title + detail, suggested) for row_id, detail, suggested in found.iter_rows()]


def _list_errors(answers: pl.DataFrame) -> list[Entry]:
    wrong = (
        answers.filter(~pl.col("right"))
        .with_columns(
            pl.format(
                "{}: {}",
                pl.col("system").cast(pl.String),
                pl.col("kind").cast(pl.String).str.replace_all("_", " "),
            ).alias("why")
        )
        .sort("row", "system")
        .group_by("row", maintain_order=True)
        .agg(pl.col("why").str.join("; "), pl.len(), pl.col("confidence").max())
        .sort("len", "confidence", "row", descending=[True, True, False], nulls_last=True)
    )
    return [Entry(row, why) for row, why in wrong.select("row", "why").iter_rows()]


def _list_different_answers(answers: pl.DataFrame) -> list[Entry]:
    models = answers.filter(~pl.col("system").cast(pl.String).is_in(_BASELINES))
    different = (
        models.sort("row", "system")
        .group_by("row", maintain_order=True)
        .agg(pl.col("predicted").n_unique().alias("answers"), pl.col("system").cast(pl.String).str.join(", "))
        .filter(pl.col("answers") > 1)
    )
    return [
        Entry(row, f"{systems} give {count} different answers")
        for row, count, systems in different.select("row", "answers", "system").iter_rows()
    ]
