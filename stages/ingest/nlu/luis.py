"""Microsoft's JSON: projects of Conversational Language Understanding (CLU), and LUIS apps.

Their offsets count UTF-16 code units, in which an emoji is two; LUIS gives the last one of an entity, CLU the length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from exemplars.core.ledger import Problem
from exemplars.dataset.recognizers import Instance
from stages.ingest.nlu.documents import Document, Text
from stages.ingest.nlu.examples import (
    SPLIT_NAMES,
    Entity,
    Example,
    Flaw,
    Item,
    NluFile,
    find_malformed_pattern,
    make_instances,
    report_span,
)


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


class _LuisApp(msgspec.Struct):
    utterances: list[msgspec.Raw]
    closedLists: list[_LuisList] = []
    regex_entities: list[_LuisPattern] = []


class _CluEntity(msgspec.Struct):
    category: str
    offset: int
    length: int


class _CluUtterance(msgspec.Struct):
    text: str
    intent: str = ""
    dataset: str | None = None
    entities: list[_CluEntity] = []


class _CluSynonyms(msgspec.Struct):
    values: list[str] = []


class _CluSubList(msgspec.Struct):
    listKey: str
    synonyms: list[_CluSynonyms] = []


class _CluList(msgspec.Struct):
    sublists: list[_CluSubList] = []


class _CluDefinition(msgspec.Struct):
    category: str
    values: _CluList | None = msgspec.field(default=None, name="list")


class _CluAssets(msgspec.Struct):
    utterances: list[msgspec.Raw] = []
    entities: list[_CluDefinition] = []


class _CluProject(msgspec.Struct):
    assets: _CluAssets
    stringIndexType: str = "Utf16CodeUnit"


class _Label(NamedTuple):
    """An entity with its span, in the units of its file."""

    slot: str
    start: int
    end: int
    type: str


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
            items.append(_make_example(pointer, utterance.text, utterance.intent, labels, in_utf_16=True))
    patterns: dict[str, tuple[str, ...]] = {}
    for index, entity in enumerate(app.regex_entities):
        problem = find_malformed_pattern(entity.regexPattern)
        if problem is None:
            patterns[entity.name] = (*patterns.get(entity.name, ()), entity.regexPattern)
        else:
            items.append(Flaw(f"/regex_entities/{index}", problem))
    lists = {
        values.name: make_instances((value.canonicalForm, value.values) for value in values.subLists)
        for values in app.closedLists
    }
    return NluFile(path, tuple(items), lists, patterns=patterns, is_damaged=text.is_damaged)


def parse_clu(path: str, text: Text) -> NluFile:
    """Parse a CLU project. Raises `UserError` if it is something else."""
    document = Document(path, text.text)
    project = document.decode(_CluProject, "a CLU project")
    in_utf_16 = project.stringIndexType != "UnicodeCodePoint"
    items: list[Item] = list(document.list_flaws())
    for index, raw in enumerate(project.assets.utterances):
        pointer = f"/assets/utterances/{index}"
        utterance = document.decode_record(raw, _CluUtterance)
        if isinstance(utterance, Problem):
            items.append(Flaw(pointer, utterance))
            continue
        labels = [
            _Label(entity.category, entity.offset, entity.offset + entity.length, entity.category)
            for entity in utterance.entities
        ]
        split = SPLIT_NAMES.get((utterance.dataset or "").casefold())
        example = _make_example(pointer, utterance.text, utterance.intent, labels, split, in_utf_16=in_utf_16)
        items.append(example)
    lists = {
        entity.category: _make_clu_instances(entity.values)
        for entity in project.assets.entities
        if entity.values
    }
    return NluFile(path, tuple(items), lists, is_damaged=text.is_damaged)


def _make_clu_instances(values: _CluList) -> tuple[Instance, ...]:
    return make_instances(
        (value.listKey, [text for synonyms in value.synonyms for text in synonyms.values])
        for value in values.sublists
    )


def _list_leaves(entities: Iterable[_LuisEntity]) -> Iterator[_Label]:
    """List the entities without children: of one with children, these."""
    for entity in entities:
        if entity.children:
            yield from _list_leaves(entity.children)
        else:
            yield _Label(entity.role or entity.entity, entity.startPos, entity.endPos + 1, entity.entity)


def _make_example(
    pointer: str, text: str, intent: str, labels: list[_Label], split: str | None = None, *, in_utf_16: bool
) -> Item:
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


def _convert_span(label: _Label, length: int, positions: dict[int, int] | None) -> tuple[int, int] | None:
    """Convert a span to code points; `None` if it is not within the text, or divides a character."""
    start, end = label.start, label.end
    if positions is not None:
        start, end = positions.get(start, -1), positions.get(end, -1)
    return (start, end) if 0 <= start < end <= length else None
