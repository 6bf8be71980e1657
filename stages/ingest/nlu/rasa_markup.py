"""The markup of Rasa's examples: `[Rome](city)`, and `[two]{"entity": "count", "value": "2", "role": ...}`."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import msgspec

from exemplars.core.documents import RepeatedKeyError, decode_json
from exemplars.core.ledger import Problem
from stages.ingest.nlu.examples import Entity, report_malformed
from stages.ingest.reading import lower_first

_CLOSING: Final = {"(": ")", "{": "}", "[": "]"}
_FORM: Final = '[text](entity), or [text]{"entity": ...}'
_NESTED: Final = re.compile(r"\][({]|\]\[\{")


class _Label(msgspec.Struct, forbid_unknown_fields=True):
    """What braces say of an entity."""

    entity: str
    value: str | int | float | bool | None = None
    role: str | None = None
    group: str | int | None = None


class MarkedText(NamedTuple):
    """A text without its markup."""

    text: str
    entities: tuple[Entity, ...]


class _Mark(NamedTuple):
    """A marked part of an example: `[text](label)`."""

    text: str
    labels: tuple[_Label, ...]
    end: int
    """The position after it."""


class _MarkupError(Exception):
    def __init__(self, found: str, position: int, expected: str = _FORM, ending: str = "") -> None:
        """position: in the example, from 0. ending: the end of the sentence that says what was found."""
        self.found, self.expected = f"{found} at character {position + 1}{ending}", expected
        super().__init__(self.found)


def parse_markup(text: str) -> MarkedText | Problem:
    """Parse the markup of an example. A text in brackets without a label after it is plain text.

    >>> parse_markup("to [Rome](city)")
    MarkedText(text='to Rome', entities=(Entity(slot='city', start=3, end=7, type='city', value=None),))
    >>> parse_markup("to [Rome(city)").found
    'a bracket at character 4 that never closes'
    """
    parts: list[str] = []
    entities: list[Entity] = []
    length = position = 0
    try:
        while (opening := text.find("[", position)) >= 0:
            mark = _parse_mark(text, opening)
            parts += [text[position:opening], mark.text]
            start = length + opening - position
            length = start + len(mark.text)
            entities += [_make_entity(label, mark.text, start) for label in mark.labels]
            position = mark.end
    except _MarkupError as error:
        return report_malformed(error.found, error.expected, "correct the markup")
    return MarkedText("".join([*parts, text[position:]]), tuple(entities))


def _make_entity(label: _Label, text: str, start: int) -> Entity:
    value = None if label.value is None else str(label.value)
    left, right = len(text) - len(text.lstrip()), len(text.rstrip())
    return Entity(label.role or label.entity, start + left, start + max(left, right), label.entity, value)


def _parse_mark(text: str, opening: int) -> _Mark:
    closing = _find_closing(text, opening, "a bracket")
    inner, after = text[opening + 1 : closing], text[closing + 1 : closing + 2]
    if _NESTED.search(inner):
        raise _MarkupError("an entity within an entity", opening, "entities next to each other")
    if after == "(":
        end = _find_closing(text, closing + 1, "a bracket")
        return _Mark(inner, (_parse_name(text[closing + 2 : end], closing + 1),), end + 1)
    if after == "{":
        end = _find_closing(text, closing + 1, "a brace")
        return _Mark(inner, (_parse_label(text[closing + 1 : end + 1], closing + 1),), end + 1)
    if text.startswith("[{", closing + 1):
        end = _find_closing(text, closing + 1, "a bracket")
        labels, position = [], closing + 2
        while position < end:
            brace_end = _find_closing(text, position, "a brace")
            labels.append(_parse_label(text[position : brace_end + 1], position))
            position = brace_end + 1
            while position < end and text[position] in ", ":
                position += 1
        return _Mark(inner, tuple(labels), end + 1)
    return _Mark(f"[{inner}]", (), closing + 1)


def _find_closing(text: str, opening: int, name: str) -> int:
    """Find the bracket that closes the one at `opening`; in JSON, those in strings do not count."""
    bracket = text[opening]
    is_json = bracket == "{" or text.startswith("[{", opening)
    depth, position, in_string = 0, opening, False
    while position < len(text):
        character = text[position]
        if in_string and character == "\\":
            position += 1
        elif is_json and character == '"':
            in_string = not in_string
        elif not in_string and character == bracket:
            depth += 1
        elif not in_string and character == _CLOSING[bracket]:
            depth -= 1
            if depth == 0:
                return position
        position += 1
    raise _MarkupError(name, opening, ending=" that never closes")


def _parse_name(name: str, position: int) -> _Label:
    """Parse the label in parentheses: an entity, or `entity:value` as older versions write it."""
    entity, colon, value = name.partition(":")
    if not entity.strip():
        raise _MarkupError("an entity without a name", position, "the name of an entity")
    return _Label(entity.strip(), value.strip() if colon else None)


def _parse_label(braces: str, position: int) -> _Label:
    try:
        label = decode_json(braces, _Label)
    except RepeatedKeyError as error:
        raise _MarkupError(str(error), position, "each key once") from None
    except msgspec.DecodeError as error:
        found = f"braces that are not an entity ({lower_first(str(error))})"
        raise _MarkupError(found, position, "entity, and optionally value, role and group, as JSON") from None
    if not (label.role or label.entity).strip():
        raise _MarkupError("an entity without a name", position, "the name of an entity")
    return label
