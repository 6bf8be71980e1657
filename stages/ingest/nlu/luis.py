"""LUIS apps: the offsets of an entity are those of its first and last UTF-16 code unit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from exemplars.core.errors import quote_text
from exemplars.core.ledger import Problem
from stages.ingest.nlu.code_units import Label, Unit, make_example
from stages.ingest.nlu.documents import Document, Text
from stages.ingest.nlu.examples import (
    Flaw,
    Item,
    NluFile,
    Part,
    Template,
    collect_patterns,
    make_instances,
    report_malformed,
)

_TEMPLATE_SLOT: Final = re.compile(r"\{([^{}:]*)(?::([^{}:]*))?\}")
_CHOICE: Final = re.compile(r"[\[\](){}|]")


class _LuisEntity(msgspec.Struct):
    entity: str
    startPos: int
    endPos: int
    role: str | None = None
    children: list[_LuisEntity] = []


class _LuisUtterance(msgspec.Struct):
    text: str
    intent: str = ""
    entities: list[_LuisEntity] = []


class _LuisSubList(msgspec.Struct):
    canonicalForm: str
    values: list[str] = msgspec.field(default_factory=list, name="list")


class _LuisList(msgspec.Struct):
    name: str
    subLists: list[_LuisSubList] = []


class _LuisPattern(msgspec.Struct):
    name: str
    regexPattern: str


class _LuisTemplate(msgspec.Struct):
    pattern: str
    intent: str = ""


class _LuisApp(msgspec.Struct):
    utterances: list[msgspec.Raw]
    patterns: list[_LuisTemplate] = []
    closedLists: list[_LuisList] = []
    regex_entities: list[_LuisPattern] = []


def parse_luis(path: str, text: Text) -> NluFile:
    """Parse a LUIS app. Raises `UserError` if it is something else."""
    document = Document(path, text.text)
    app = document.decode(_LuisApp, "a LUIS app")
    items: list[Item] = list(document.list_flaws())
    for index, raw in enumerate(app.utterances):
        pointer = f"/utterances/{index}"
        utterance = document.decode_record(raw, _LuisUtterance)
        if isinstance(utterance, Problem):
            items.append(Flaw(pointer, utterance))
        else:
            labels = list(_list_leaves(utterance.entities))
            items.append(make_example(pointer, utterance.text, utterance.intent, labels, unit=Unit.UTF_16))
    items += [_read_template(f"/patterns/{index}", entry) for index, entry in enumerate(app.patterns)]
    patterns = collect_patterns(
        items,
        [
            (f"/regex_entities/{index}", entity.name, entity.regexPattern)
            for index, entity in enumerate(app.regex_entities)
        ],
    )
    lists = {
        values.name: make_instances((value.canonicalForm, value.values) for value in values.subLists)
        for values in app.closedLists
    }
    return NluFile(path, tuple(items), lists, patterns=patterns, is_damaged=text.is_damaged)


def _read_template(pointer: str, entry: _LuisTemplate) -> Item:
    """Read a pattern of LUIS, such as `to {Location:destination}`."""
    parts, position = [], 0
    for match in _TEMPLATE_SLOT.finditer(entry.pattern):
        entity = match[1].strip()
        slot = (match[2] or "").strip() or entity
        parts += [Part(entry.pattern[position : match.start()]), Part(match[0], slot, entity)]
        position = match.end()
    parts.append(Part(entry.pattern[position:]))
    if any(part.slot is None and _CHOICE.search(part.text) for part in parts):
        found = f"the pattern {quote_text(entry.pattern)} with optional parts or choices"
        expected = "a text with {entity} or {entity:role}"
        problem = report_malformed(found, expected, "write a pattern for each of the ways")
        return Flaw(pointer, problem, entry.intent, entry.pattern)
    return Template(pointer, tuple(part for part in parts if part.text), entry.intent)


def _list_leaves(entities: Iterable[_LuisEntity]) -> Iterator[Label]:
    """List the entities without children: of one with children, these."""
    for entity in entities:
        if entity.children:
            yield from _list_leaves(entity.children)
        else:
            yield Label(entity.role or entity.entity, entity.startPos, entity.endPos + 1, entity.entity)
