"""What the dialects of NLU data have in common: examples with spans, templates, and lists of values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from exemplars.core.errors import quote_text
from exemplars.core.ids import SplitName
from exemplars.core.ledger import Problem
from exemplars.core.records import Reason
from exemplars.dataset.recognizers import Instance

SPLIT_NAMES: Final[dict[str, SplitName]] = {
    "train": "train", "training": "train", "dev": "validation", "valid": "validation", "val": "validation",
    "validation": "validation", "eval": "validation", "test": "test", "testing": "test",
}  # fmt: skip
"""What the dialects call the splits."""


class Entity(NamedTuple):
    """A labeled part of a text; code points, end exclusive."""

    slot: str
    start: int
    end: int
    type: str | None = None
    """The name of the list that its values come from; `None`: the slot's own name."""
    value: str | None = None
    """The canonical value, if the example itself gives it."""

    @property
    def list_name(self) -> str:
        """The name of the list that knows its values, if there is one."""
        return self.type or self.slot


class Example(NamedTuple):
    """An utterance with its intent."""

    locator: str
    text: str
    intent: str
    entities: tuple[Entity, ...] = ()
    split: str | None = None


class Part(NamedTuple):
    """A part of a template: a text, or a slot, whose text is then how the template writes it."""

    text: str
    slot: str | None = None
    type: str = ""


class Template(NamedTuple):
    """An utterance whose slots are filled with the values of their types."""

    locator: str
    parts: tuple[Part, ...]
    intent: str
    question: str | None = None
    """The question of the system that the utterance answers; empty: it is not known. `None`: it answers none."""

    @property
    def text(self) -> str:
        """The template as the file writes it."""
        return "".join(part.text for part in self.parts)


class Flaw(NamedTuple):
    """An example that cannot be read, and why."""

    locator: str
    problem: Problem
    intent: str | None = None
    text: str | None = None


Item = Example | Template | Flaw


class NluFile(NamedTuple):
    """All that a file, or several files that belong together, hold."""

    path: str
    items: tuple[Item, ...] = ()
    lists: Mapping[str, tuple[Instance, ...]] = {}
    """The values of types of entities, with their synonyms: what an example says is replaced by its value."""
    lookups: Mapping[str, tuple[Instance, ...]] = {}
    """Some values of types of entities, which replace nothing."""
    synonyms: Mapping[str, str] = {}
    """The canonical value by the text that says it, for entities of all types."""
    patterns: Mapping[str, tuple[str, ...]] = {}
    """Regular expressions of types of entities."""
    pattern_types: frozenset[str] = frozenset()
    """The types whose values in `lists`, of this file or another, are regular expressions."""
    is_damaged: bool = False
    """Whether some bytes are not UTF-8: U+FFFD replaces them."""


def make_instances(pairs: Iterable[tuple[str, Iterable[str]]]) -> tuple[Instance, ...]:
    """Make the instances of a list from its values, each with its synonyms; what is empty is left out.

    >>> make_instances([("two", ["2", "", "two"])])
    (Instance(label='two', expressions=('two', '2')),)
    """
    return tuple(
        Instance(value, tuple(dict.fromkeys(filter(str.strip, (value, *synonyms)))))
        for value, synonyms in pairs
        if value.strip()
    )


def report_malformed(found: str, expected: str, fix: str, place: str = "") -> Problem:
    """Report an example that does not have the form of its dialect. place: if it is more precise than its origin."""
    return Problem(Reason.MALFORMED_RECORD, found, expected, fix, place=place)


def find_malformed_pattern(pattern: str) -> Problem | None:
    """Find that a regular expression is malformed."""
    try:
        re.compile(pattern)
    except re.error as error:
        found = f"the regex {quote_text(pattern)}, which is malformed ({error})"
        return report_malformed(found, "a regular expression of Python", "correct it")
    return None


def collect_patterns(
    items: list[Item], patterns: Iterable[tuple[str, str, str]]
) -> dict[str, tuple[str, ...]]:
    """Collect the patterns by entity; one that is malformed is added to the items. patterns: pointer, entity, text."""
    by_entity: dict[str, tuple[str, ...]] = {}
    for pointer, entity, pattern in patterns:
        problem = find_malformed_pattern(pattern)
        if problem is None:
            by_entity[entity] = (*by_entity.get(entity, ()), pattern)
        else:
            items.append(Flaw(pointer, problem))
    return by_entity


def report_span(start: int, end: int, text: str, slot: str, unit: str = "code points") -> Problem:
    """Report a span that is not within its text."""
    return Problem(
        Reason.SPAN_MISMATCH,
        found=f"span {start}:{end} in an utterance of {len(text)} code points for slot {slot!r}",
        expected=f"0 <= start < end <= length, in {unit}",
        fix="correct the span",
        slot=slot,
    )


def join_segments(segments: Iterable[Part]) -> tuple[str, tuple[Entity, ...]]:
    """Join the segments of an utterance, and give those with a slot their spans, without white space at the edges.

    >>> join_segments([Part("to "), Part("Rome ", "city")])
    ('to Rome ', (Entity(slot='city', start=3, end=7, type='', value=None),))
    """
    texts, entities, length = [], [], 0
    for segment in segments:
        if segment.slot is not None:
            start = length + len(segment.text) - len(segment.text.lstrip())
            end = length + len(segment.text.rstrip())
            entities.append(Entity(segment.slot, start, end, segment.type))
        texts.append(segment.text)
        length += len(segment.text)
    return "".join(texts), tuple(entities)
