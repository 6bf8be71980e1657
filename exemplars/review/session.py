"""A review of the project in the working folder: its rows, queues, edits and decisions, for one reviewer."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import polars as pl

from exemplars.core.errors import UserError
from exemplars.core.records import Exemplar
from exemplars.core.reviews import Decision, Review, describe_row
from exemplars.review.browsing import browse_rows
from exemplars.review.dataset_index import DatasetIndex, RowFilter
from exemplars.review.decision_book import DecisionBook
from exemplars.review.edit_check import CheckedEdit, Edit, EditChecker
from exemplars.review.index_columns import report_unreadable, sign_files
from exemplars.review.live_tagger import LiveTagger
from exemplars.review.queues import Queue, QueueLists
from exemplars.review.requests import CheckRequest, Choice, DecisionRequest, UndoRequest
from exemplars.review.row_view import (
    RowViewer,
    describe_decision,
    describe_decisions,
    describe_record,
    read_answers,
)

_SENT_ENTRIES: Final = 2_000
"""How many rows of a queue the page gets at once."""


class Refusal(Exception):
    """Why a request has no effect: something has changed since the page was shown."""

    def __init__(self, message: str, status: int = 409) -> None:
        """message: a sentence for the reviewer."""
        super().__init__(message)
        self.message = message
        self.status = status


class ReviewSession:
    """What the server does. Threads may share it: one at a time is served."""

    def __init__(self, reviewer: str) -> None:
        """Read the project. Raises `UserError` if it has no rows, or its file of decisions is broken."""
        self.reviewer = reviewer
        self.tagger = LiveTagger()
        self._lock = threading.RLock()
        self._book = DecisionBook(reviewer)
        self._load()

    def start(self) -> dict[str, Any]:
        """Describe what the page shows first: the reviewer, the queues, what can be filtered, the last decision."""
        with self._fresh():
            return {
                "project": Path.cwd().name,
                "reviewer": self.reviewer,
                "rows": len(self._index),
                "facets": self._index.facets,
                "skills": sorted(self._checker.skills),
                **self._describe_progress(),
            }

    def list_queue(self, queue: Queue) -> dict[str, Any]:
        """List the rows of a queue that this reviewer has not decided."""
        with self._fresh():
            state = self._queues.build(queue, self._book)
            return {
                "open": len(state.entries),
                "decided": state.decided,
                "entries": [entry._asdict() for entry in state.entries[:_SENT_ENTRIES]],
            }

    def show_row(self, row_id: str, queue: str) -> dict[str, Any]:
        """Show a row with all that helps to decide about it. queue: whose reason to show it is added."""
        with self._fresh():
            exemplar = self._index.read_exemplar(row_id)
            if exemplar is None:
                rejection = self._index.read_rejection(row_id)
                if rejection is None:
                    raise Refusal("this row is not in the dataset anymore", 404)
                return describe_record(rejection)
            entry = self._queues.find_entry(queue, row_id, self._book)
            return {
                **self._viewer.describe(exemplar),
                "why": None if entry is None else entry.why,
                "suggested": None if entry is None else entry.suggested,
                "entry": self._viewer.describe_skill(exemplar.skill),
                "answers": read_answers(row_id),
                "decisions": describe_decisions(self._book.get_state(row_id, exemplar.digest)),
            }

    def show_nearest(self, row_id: str) -> list[dict[str, Any]]:
        """Show the nearest rows of train. The first answer takes the time to index their words."""
        with self._fresh():
            exemplar, viewer = self._find(row_id), self._viewer
        return viewer.find_nearest(exemplar)

    def show_skill(self, name: str) -> dict[str, Any] | None:
        """Show the catalog's entry of a skill."""
        with self._fresh():
            return self._viewer.describe_skill(name)

    def ask_tagger(self, row_id: str) -> dict[str, Any]:
        """Ask the tagger about a row. The first answer takes as long as its model takes to load."""
        with self._fresh():
            exemplar = self._find(row_id)
        return self.tagger.answer(exemplar)

    def browse(self, wanted: RowFilter, page: int) -> dict[str, Any]:
        """List a page of the rows that a filter admits. page: from 0."""
        with self._fresh():
            return browse_rows(self._index, self._queues, self._book, wanted, page)

    def check(self, request: CheckRequest) -> dict[str, Any]:
        """Compile an edit, without saving it."""
        with self._fresh():
            checked = self._check(self._find(request.row), request.edit)
            return {
                "ok": checked.exemplar is not None,
                "changed": checked.is_changed,
                "message": checked.message,
                "slot": checked.slot,
                "reason": checked.reason,
                "row": None if checked.exemplar is None else self._viewer.describe(checked.exemplar),
            }

    def decide(self, request: DecisionRequest) -> dict[str, Any]:
        """Save a decision: it is on the disk when this returns.

        Raises `Refusal` if the row or the decision about it is not what the page shows, or an edit does not compile.
        """
        with self._fresh():
            saved = self._book.find(request.decision_id)
            if saved is None:
                saved = self._build_review(request)
                self._book.append(saved)
            return {"saved": describe_decision(saved), **self._describe_progress()}

    def undo(self, request: UndoRequest) -> dict[str, Any]:
        """Remove a decision of this reviewer from those that count: on the disk, too, when this returns."""
        with self._fresh():
            if self._book.find(request.decision_id) is None:
                last = self._book.find_last()
                if last is None or last.decision_id != request.withdraws:
                    raise Refusal("this is not your last decision anymore: another tab has changed it")
                self._book.append(
                    Review(
                        decision_id=request.decision_id,
                        row=last.row,
                        digest=last.digest,
                        decision=Decision.WITHDRAWN,
                        queue=last.queue,
                        withdraws=last.decision_id,
                        reviewer=self.reviewer,
                        time=_read_clock(),
                    )
                )
            undone = self._book.find(request.withdraws)
            return {
                "undone": None if undone is None else describe_decision(undone),
                **self._describe_progress(),
            }

    def close(self) -> None:
        """Stop what was started."""
        self.tagger.close()

    @contextmanager
    def _fresh(self) -> Iterator[None]:
        """Serve one thread, with what the files have at this moment."""
        with self._lock:
            if sign_files() != self._index.signature:
                self._load()
            self._book.refresh()
            try:
                yield
            except pl.exceptions.PolarsError as error:  # A stage writes its table at this moment.
                raise UserError([report_unreadable(error)]) from None

    def _load(self) -> None:
        self._index = DatasetIndex()
        self._checker = EditChecker()
        self._viewer = RowViewer(self._index, self._checker.skills)
        self._queues = QueueLists(self._index)

    def _find(self, row_id: str) -> Exemplar:
        exemplar = self._index.read_exemplar(row_id)
        if exemplar is None:
            raise Refusal("this row is not in the dataset anymore", 404)
        return exemplar

    def _build_review(self, request: DecisionRequest) -> Review:
        exemplar = self._find(request.row)
        if exemplar.digest != request.digest:
            raise Refusal("the row has changed since it was shown: look at it again")
        own = self._book.get_state(exemplar.id, exemplar.digest).own
        if (None if own is None else own.decision_id) != request.seen:
            raise Refusal("another tab has decided about this row: look at it again")
        checked = self._check_edit(exemplar, request)
        return Review(
            decision_id=request.decision_id,
            row=exemplar.id,
            digest=exemplar.digest,
            decision=Decision(request.decision),
            queue=request.queue,
            before=None if checked is None else describe_row(exemplar),
            after=None if checked is None else checked.after,
            reviewer=self.reviewer,
            time=_read_clock(),
            note=request.note.strip() or None,
        )

    def _check(self, exemplar: Exemplar, edit: Edit) -> CheckedEdit:
        shares_turn = bool(self._index.read_turn(exemplar))
        return self._checker.check(exemplar, edit, self._book.resolve(exemplar.id), shares_turn=shares_turn)

    def _check_edit(self, exemplar: Exemplar, request: DecisionRequest) -> CheckedEdit | None:
        if (request.edit is not None) is not (request.decision is Choice.EDITED):
            raise Refusal("an edit belongs to the decision `edited`, and only there", 422)
        if request.edit is None:
            return None
        checked = self._check(exemplar, request.edit)
        if checked.exemplar is None:
            raise Refusal(checked.message, 422)
        if not checked.is_changed:
            raise Refusal("nothing is changed: approve the row instead", 422)
        return checked

    def _describe_progress(self) -> dict[str, Any]:
        last = self._book.find_last()
        states = {queue: self._queues.build(queue, self._book) for queue in Queue}
        return {
            "queues": [
                {"name": queue, "open": len(state.entries), "decided": state.decided}
                for queue, state in states.items()
            ],
            "last": None if last is None else describe_decision(last),
        }


def _read_clock() -> str:
    """Return the time in UTC; whole seconds, since the order of the file decides between equal times."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
