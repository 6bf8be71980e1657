"""Turns: the rows that are the several calls of one answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from exemplars.core.records import Exemplar, Speaker

T = TypeVar("T")


def group_by_turn(rows: Iterable[Exemplar]) -> dict[str, list[Exemplar]]:
    """Group rows by their turn: turns in the order of their first rows, calls by position and id."""
    turns: dict[str, list[Exemplar]] = {}
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


def spread_over_turns(rows: Iterable[Exemplar], problems: Mapping[str, T]) -> dict[str, T]:
    """Give all calls of a turn the problem of its first call that has one; return the problems by row id."""
    return {
        call.id: problem
        for calls in group_by_turn(rows).values()
        if (problem := next((problems[call.id] for call in calls if call.id in problems), None)) is not None
        for call in calls
    }
