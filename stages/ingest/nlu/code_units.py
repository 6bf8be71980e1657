"""Spans that do not count code points: Microsoft's tools count UTF-16 code units, of which an emoji has two."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

import regex

from stages.ingest.nlu.examples import Entity, Example, Flaw, Item, report_span


class Unit(StrEnum):
    """What the offsets of a file count, as messages name it."""

    CODE_POINTS = "code points"
    UTF_16 = "UTF-16 code units"
    GRAPHEMES = "graphemes"


_GRAPHEME: Final = regex.compile(r"\X")


class Label(NamedTuple):
    """An entity with its span, in the units of its file."""

    slot: str
    start: int
    end: int
    type: str


def make_example(
    pointer: str, text: str, intent: str, labels: list[Label], split: str | None = None, *, unit: Unit
) -> Item:
    """Make an example, with its spans in code points; or the flaw that a span is not within its text."""
    positions = None if text.isascii() or unit is Unit.CODE_POINTS else _map_offsets(text, unit)
    entities = []
    for label in labels:
        span = _convert_span(label, len(text), positions)
        if span is None:
            problem = report_span(label.start, label.end, text, label.slot, unit)
            return Flaw(pointer, problem, intent, text)
        entities.append(Entity(label.slot, *span, label.type))
    return Example(pointer, text, intent, tuple(entities), split)


def _map_offsets(text: str, unit: Unit) -> dict[int, int]:
    """Map the offsets at which a character begins, and that of the end, to code points."""
    parts = _GRAPHEME.findall(text) if unit is Unit.GRAPHEMES else text
    positions, offset, index = {}, 0, 0
    for part in parts:
        positions[offset] = index
        offset += 2 if unit is Unit.UTF_16 and ord(part) > 0xFFFF else 1
        index += len(part)
    positions[offset] = len(text)
    return positions


def _convert_span(label: Label, length: int, positions: dict[int, int] | None) -> tuple[int, int] | None:
    """Convert a span to code points; `None` if it is not within the text, or divides a character."""
    start, end = label.start, label.end
    if positions is not None:
        start, end = positions.get(start, -1), positions.get(end, -1)
    return (start, end) if 0 <= start < end <= length else None
