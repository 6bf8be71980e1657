"""Spans that count UTF-16 code units, as Microsoft's tools do: an emoji is two of them."""

from __future__ import annotations

from typing import NamedTuple

from stages.ingest.nlu.examples import Entity, Example, Flaw, Item, report_span


class Label(NamedTuple):
    """An entity with its span, in the units of its file."""

    slot: str
    start: int
    end: int
    type: str


def make_example(
    pointer: str, text: str, intent: str, labels: list[Label], split: str | None = None, *, in_utf_16: bool
) -> Item:
    """Make an example, with its spans in code points; or the flaw that a span is not within its text."""
    positions = _map_code_units(text) if in_utf_16 and not text.isascii() else None
    entities = []
    for label in labels:
        span = _convert_span(label, len(text), positions)
        if span is None:
            unit = "UTF-16 code units" if in_utf_16 else "code points"
            problem = report_span(label.start, label.end, text, label.slot, unit)
            return Flaw(pointer, problem, intent, text)
        entities.append(Entity(label.slot, *span, label.type))
    return Example(pointer, text, intent, tuple(entities), split)


def _map_code_units(text: str) -> dict[int, int]:
    """Map the offsets in UTF-16 code units at which a character begins, and the end, to code points."""
    positions, units = {}, 0
    for index, character in enumerate(text):
        positions[units] = index
        units += 2 if ord(character) > 0xFFFF else 1
    positions[units] = len(text)
    return positions


def _convert_span(label: Label, length: int, positions: dict[int, int] | None) -> tuple[int, int] | None:
    """Convert a span to code points; `None` if it is not within the text, or divides a character."""
    start, end = label.start, label.end
    if positions is not None:
        start, end = positions.get(start, -1), positions.get(end, -1)
    return (start, end) if 0 <= start < end <= length else None
