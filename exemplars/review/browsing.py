"""The rows that a filter admits, each with what is decided about it."""

from __future__ import annotations

from typing import Any, Final

from exemplars.core.reviews import Review
from exemplars.review.dataset_index import PAGE_ROWS, DatasetIndex, RowFilter
from exemplars.review.decision_book import DecisionBook
from exemplars.review.queues import QueueLists
from exemplars.review.row_view import describe_decision, list_shown

_NOTED: Final = "noted"
"""What a filter calls decisions with a note."""


def browse_rows(
    index: DatasetIndex, queues: QueueLists, book: DecisionBook, wanted: RowFilter, page: int
) -> dict[str, Any]:
    """List a page of the rows that a filter admits. page: from 0.

    The reviewer sees of decisions what the page of a row shows: those of others only after an own one.
    """
    among = _find_decided(queues, book, wanted.decision) if wanted.decision else None
    found = index.find_page(wanted, page, among)
    states = queues.get_states([row["id"] for row in found.rows if book.has_decisions(row["id"])], book)
    rows = [
        row | {"decisions": list(map(describe_decision, list_shown(states[row["id"]])))}
        if row["id"] in states
        else row
        for row in found.rows
    ]
    return {"total": found.total, "page": page, "page_rows": PAGE_ROWS, "rows": rows}


def _find_decided(queues: QueueLists, book: DecisionBook, wanted: str) -> list[str]:
    """Find the rows about which something is decided, as a filter wants it: their ids."""
    states = queues.get_states(book.list_decided(), book)
    return [
        row_id
        for row_id, state in states.items()
        if any(_is_wanted(review, wanted) for review in list_shown(state))
    ]


def _is_wanted(review: Review, wanted: str) -> bool:
    return bool(review.note) if wanted == _NOTED else review.decision == wanted
