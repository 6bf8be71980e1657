"""Turns: the rows that are the several calls of one answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from exemplars.core.records import Exemplar, Speaker


class Call(Protocol):
    """A row that is a call of a turn: an `Exemplar`, or what is known of one."""

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def turn(self) -> str: ...  # noqa: D102
    @property
    def call(self) -> int: ...  # noqa: D102


C = TypeVar("C", bound=Call)


def group_by_turn(rows: Iterable[C]) -> dict[str, list[C]]:
    """Group rows by their turn: turns in the order of their first rows, calls by position and id."""
    turns: dict[str, list[C]] = {}
    for row in rows:
        turns.setdefault(row.turn, []).append(row)
    return {
        turn: sorted(calls, key=lambda row: (row.call, row.id)) if len(calls) > 1 else calls
        for turn, calls in turns.items()
    }


def find_user_text(row: Exemplar, column: str = "utterance") -> str:
    """Return what the user said last: the row's own text, or the turn of the context that a tool's result answers.

    Rows are alike if their users say the same: many results of tools are, such as `{"success": true}`.

    column: of the row's own text: `utterance`, or `exemplar` for the template.
    """
    if row.speaker is Speaker.USER:
        return str(getattr(row, column))
    said = (turn.utterance for turn in reversed(row.context) if turn.speaker is Speaker.USER)
    return next(said, row.utterance)
