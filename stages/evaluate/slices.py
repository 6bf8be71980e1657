"""Slices: rows that have something in common, so that a figure shows where a system is good."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from exemplars.core.conditions import Condition
from exemplars.core.records import Grounding, Speaker
from exemplars.core.reports import NO_SKILL
from exemplars.core.slot_paths import find_root, format_path
from exemplars.models.rows import TrainingRow
from stages.evaluate.task import is_found

_MANY_CALLS: Final = 4
"""From this number of calls on, turns are one slice."""
_SINGLE_TURNS: Final = 2
"""The messages of a single utterance, in addition to the system's: it and the answer."""
_LENGTHS: Final = ((5, "up to 5"), (10, "6 to 10"), (20, "11 to 20"))


def group_by_slice(
    rows: Sequence[TrainingRow], seen_services: frozenset[str], condition: Condition
) -> dict[str, dict[str, list[int]]]:
    """Group the places of rows by dimension and value.

    seen_services: the services of the train rows.
    """
    slices: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for place, row in enumerate(rows):
        for dimension, value in _list_slices(row, seen_services):
            slices[dimension][value].append(place)
        if condition is Condition.END_TO_END and row.calls:
            slices["retrieval"]["hit" if is_found(row) else "miss"].append(place)
    return {dimension: dict(sorted(values.items())) for dimension, values in slices.items()}


def _list_slices(row: TrainingRow, seen_services: frozenset[str]) -> Iterator[tuple[str, str]]:
    """List the slices of a row as pairs of dimension and value."""
    for skill in row.skills or (NO_SKILL,):
        yield "skill", skill
    yield "mode", row.mode.value
    yield "transcript", "as a recognizer hands it over" if row.speech else "as written"
    turns = sum(message.role != "system" for message in row.messages)
    yield "turn", "in a dialogue" if turns > _SINGLE_TURNS else "single utterance"
    yield "words", _name_length(len(row.utterance.split()))
    for service in row.services:
        yield "service", service
    if row.services:
        yield "service seen in training", _say(seen_services.issuperset(row.services))
    answers = [answer for call in row.calls for answer in call.answers]
    for grounding in sorted({answer.grounding for answer in answers}):
        yield "grounding", grounding
    yield (
        "calls in the turn",
        str(len(row.calls)) if len(row.calls) < _MANY_CALLS else f"{_MANY_CALLS} or more",
    )
    yield "follows a tool result", _say(row.speaker == Speaker.TOOL)
    if row.calls:
        yield "composed", _say(any(answer.grounding == Grounding.COMPOSED for answer in answers))
        yield "nested", _say(any(_is_nested(answer.slot) for answer in answers))


def _is_nested(slot: str) -> bool:
    """Return whether a path leads into a list or an object."""
    root = find_root(slot)
    return slot not in (root, format_path((root,)))


def _say(holds: bool) -> str:
    return "yes" if holds else "no"


def _name_length(words: int) -> str:
    return next((name for limit, name in _LENGTHS if words <= limit), "more than 20")
