"""Row ids and split names: the only place that builds and parses them.

The grammar of an id: `<source>:<file>#<locator>` for a row, then `~speech` for its speech view, then
`@<view>` or `@<view>:<slot>` for a chat row of another view than `call`.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

from exemplars.core.records import Origin

SplitName = Literal["train", "validation", "test"]
SPLITS: Final[tuple[SplitName, ...]] = ("train", "validation", "test")

SPEECH_SUFFIX: Final = "~speech"
_DERIVED: Final = re.compile(
    r"(?P<speech>~speech)?(@(?P<view>call|skill|slot|pair|yes_no)(:(?P<slot>.*))?)?$", re.DOTALL
)


class RowId(NamedTuple):
    """The parts of an id."""

    source: str
    path: str
    """The file, relative to the root of its source."""
    locator: str
    """A line number, a JSON Pointer, or a line number followed by a pointer within the line."""
    speech: bool = False
    view: str | None = None
    """`None` for the view `call`, and for a row that is not a chat row."""
    slot: str | None = None


def split_locator(locator: str) -> tuple[int | None, str]:
    """Split a locator into its line number, if it has one, and its JSON Pointer.

    >>> split_locator("12"), split_locator("/3/turns/4"), split_locator("18/messages/4")
    ((12, ''), (None, '/3/turns/4'), (18, '/messages/4'))
    """
    line, slash, pointer = locator.partition("/")
    return (int(line), slash + pointer) if line.isdecimal() else (None, locator)


def make_row_id(source: str, origin: Origin) -> str:
    """Build the id of a row: unique, and the same on every rebuild of the same input.

    >>> make_row_id("sgd", Origin(path="dev/dialogues_001.json", sha256="0", locator="/3/turns/4"))
    'sgd:dev/dialogues_001.json#/3/turns/4'
    """
    return f"{source}:{origin.path}#{origin.locator}"


def make_speech_id(row_id: str) -> str:
    """Build the id of a row's speech view."""
    return f"{row_id}{SPEECH_SUFFIX}"


def make_view_id(exemplar_id: str, view: str, slot: str | None) -> str:
    """Build the id of a chat row; for the view `call` it is the exemplar's own id.

    >>> make_view_id("skills:call.md#3", "slot", "contact")
    'skills:call.md#3@slot:contact'
    """
    if view == "call":
        return exemplar_id
    return f"{exemplar_id}@{view}" + (f":{slot}" if slot else "")


def is_speech_id(row_id: str) -> bool:
    """Return whether an exemplar's id is that of a speech view."""
    return row_id.endswith(SPEECH_SUFFIX)


def strip_speech(row_id: str) -> str:
    """Return the id of the row that a speech view was made from; any other id unchanged."""
    return row_id.removesuffix(SPEECH_SUFFIX)


def strip_derived(row_id: str) -> str:
    """Return the id of the row that a speech view or a chat row was made from."""
    return _DERIVED.sub("", row_id)


def parse_row_id(row_id: str) -> RowId:
    """Parse an id into its parts.

    Raises `ValueError` if the id has no `:` followed by a `#`.

    >>> parse_row_id("skills:call.md#3~speech@slot:contact")
    RowId(source='skills', path='call.md', locator='3', speech=True, view='slot', slot='contact')
    """
    row = strip_derived(row_id)
    head, hash_sign, locator = row.rpartition("#")
    source, colon, path = head.partition(":")
    if not hash_sign or not colon:
        raise ValueError(f"{row_id!r} is not <source>:<file>#<locator>")
    derived = _DERIVED.search(row_id, len(row))
    assert derived is not None  # The pattern matches the empty string.
    return RowId(source, path, locator, derived["speech"] is not None, derived["view"], derived["slot"])
