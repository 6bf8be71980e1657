"""Turns: the rows that are the several calls of one answer."""

from __future__ import annotations

from collections.abc import Iterable

from exemplars.core.records import Exemplar, Speaker


def group_by_turn(rows: Iterable[Exemplar]) -> dict[str, list[Exemplar]]:
    """Group rows by their turn: turns in the order of their first rows, calls by position and id."""
    turns: dict[str, list[Exemplar]] = {}
    for row in rows:
        turns.setdefault(row.turn, []).append(row)
    return {
        turn: sorted(calls, key=lambda row: (row.call, row.id)) if len(calls) > 1 else calls
        for turn, calls in turns.items()
    }


def find_user_text(row: Exemplar) -> str:
    """Return what the user said last: the utterance, or the turn of the context that a tool's result answers.

    Rows are alike if their users say the same: many results of tools are, such as `{"success": true}`.
    """
    if row.speaker is Speaker.USER:
        return row.utterance
    said = (turn.utterance for turn in reversed(row.context) if turn.speaker is Speaker.USER)
    return next(said, row.utterance)
