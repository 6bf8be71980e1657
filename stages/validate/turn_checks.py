"""Whether the rows of a turn fit together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from exemplars.core.records import Exemplar
from exemplars.core.turns import group_by_turn


class TurnChecks(NamedTuple):
    """Whether the rows of a turn keep each rule."""

    calls_are_numbered: bool
    turn_agrees: bool


def check_turns(exemplars: Iterable[Exemplar]) -> dict[str, TurnChecks]:
    """Check each turn, by its id."""
    return {turn: _check_turn(calls) for turn, calls in group_by_turn(exemplars).items()}


def _check_turn(calls: Sequence[Exemplar]) -> TurnChecks:
    if len(calls) == 1 and calls[0].call == 0:
        return TurnChecks(True, True)
    numbers = [call.call for call in calls]
    # Of the frames of several services, those that are out of scope are missing.
    is_complete = any(call.service is not None for call in calls) or numbers == list(range(len(calls)))
    shared = {(call.source, call.group, call.speaker, call.utterance, call.context) for call in calls}
    return TurnChecks(is_complete and len(set(numbers)) == len(numbers), len(shared) == 1)
