"""Dialogflow ES exports: `intents/NAME_usersays_en.json`, and `entities/NAME_entries_en.json`."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from exemplars.core.ledger import Problem
from stages.ingest.nlu.documents import Document, Text
from stages.ingest.nlu.examples import (
    Example,
    Flaw,
    Item,
    NluFile,
    Part,
    Template,
    join_segments,
    make_instances,
)

_USER_SAYS: Final = re.compile(r"(?P<name>[^/]*)_usersays_[\w-]+\.json$", re.IGNORECASE)
_ENTRIES: Final = re.compile(r"(?P<name>[^/]*)_entries_[\w-]+\.json$", re.IGNORECASE)
_DEFINITION: Final = re.compile(r"(?:^|/)(?:intents|entities)/[^/]+\.json$", re.IGNORECASE)
_PROJECT: Final = re.compile(r"(?:^|/)(?:agent|package)\.json$", re.IGNORECASE)
_TEMPLATE_SLOT: Final = re.compile(r"@([\w.-]+):([\w-]+)")
_IGNORED: Final = "sys.ignore"


class _Segment(msgspec.Struct):
    text: str
    alias: str | None = None
    meta: str | None = None

    @property
    def type(self) -> str:
        """The type of the entity, without its sign."""
        return (self.meta or "").removeprefix("@")

    def to_part(self) -> Part:
        """Return the segment as a part of an utterance."""
        slot = None if self.type == _IGNORED or not self.text.strip() else self.alias or self.type or None
        return Part(self.text, slot, self.type)


class _Saying(msgspec.Struct):
    data: list[_Segment]
    isTemplate: bool = False


class _Entry(msgspec.Struct):
    value: str
    synonyms: list[str] = []


class _Definition(msgspec.Struct):
    name: str = ""
    isRegexp: bool = False
    userSays: list[msgspec.Raw] = []


def is_dialogflow(path: str, keys: frozenset[str]) -> bool:
    """Return whether a JSON file belongs to an export. keys: of its object; empty: it is a list."""
    if _USER_SAYS.search(path) or _ENTRIES.search(path):
        return True
    if _PROJECT.search(path):
        return "version" in keys or "language" in keys
    return _DEFINITION.search(path) is not None and {"id", "name"} <= keys


def parse_dialogflow(path: str, text: Text) -> NluFile:
    """Parse a file of an export. Raises `UserError` if it is something else."""
    document = Document(path, text.text)
    says, entries = _USER_SAYS.search(path), _ENTRIES.search(path)
    if says is not None:
        sayings = document.decode(list[msgspec.Raw], '[{"data": [{"text", "alias", "meta"}]}]')
        return NluFile(path, _read_sayings(document, "", says["name"], sayings), is_damaged=text.is_damaged)
    if entries is not None:
        values = document.decode(list[_Entry], '[{"value", "synonyms"}]')
        instances = make_instances((entry.value, _list_plain(entry.synonyms)) for entry in values)
        return NluFile(path, lists={entries["name"]: instances}, is_damaged=text.is_damaged)
    if _PROJECT.search(path):
        return NluFile(path)
    definition = document.decode(_Definition, "an intent or an entity of Dialogflow")
    return NluFile(
        path,
        (*document.list_flaws(), *_read_sayings(document, "/userSays", definition.name, definition.userSays)),
        pattern_types=frozenset({definition.name} if definition.isRegexp else ()),
        is_damaged=text.is_damaged,
    )


def _list_plain(synonyms: list[str]) -> list[str]:
    """List the synonyms that do not consist of other entities."""
    return [synonym for synonym in synonyms if not _TEMPLATE_SLOT.search(synonym)]


def _read_sayings(
    document: Document, pointer: str, intent: str, sayings: list[msgspec.Raw]
) -> tuple[Item, ...]:
    items: list[Item] = []
    for index, raw in enumerate(sayings):
        saying = document.decode_record(raw, _Saying)
        locator = f"{pointer}/{index}"
        if isinstance(saying, Problem):
            items.append(Flaw(locator, saying, intent))
        elif saying.isTemplate:
            items.append(Template(locator, _split_template("".join(map(_get_text, saying.data))), intent))
        else:
            text, entities = join_segments(segment.to_part() for segment in saying.data)
            items.append(Example(locator, text, intent, entities))
    return tuple(items)


def _get_text(segment: _Segment) -> str:
    return segment.text


def _split_template(text: str) -> tuple[Part, ...]:
    parts, position = [], 0
    for match in _TEMPLATE_SLOT.finditer(text):
        parts += [Part(text[position : match.start()]), Part(match[0], match[2], match[1])]
        position = match.end()
    return tuple(part for part in (*parts, Part(text[position:])) if part.text)
