"""Rasa's NLU data in JSON, as older versions write it."""

from __future__ import annotations

import msgspec

from stages.ingest.nlu.documents import Document, Text
from stages.ingest.nlu.examples import (
    Entity,
    Example,
    Flaw,
    Item,
    NluFile,
    collect_patterns,
    make_instances,
    report_span,
)


class _JsonEntity(msgspec.Struct):
    start: int
    end: int
    entity: str
    value: str | int | float | bool | None = None
    role: str | None = None


class _JsonExample(msgspec.Struct):
    text: str
    intent: str = ""
    entities: list[_JsonEntity] = []


class _JsonSynonym(msgspec.Struct):
    value: str
    synonyms: list[str] = []


class _JsonLookup(msgspec.Struct):
    name: str
    elements: list[str] | str = []


class _JsonPattern(msgspec.Struct):
    name: str
    pattern: str


class _JsonData(msgspec.Struct):
    common_examples: list[msgspec.Raw] = []
    entity_synonyms: list[_JsonSynonym] = []
    lookup_tables: list[_JsonLookup] = []
    regex_features: list[_JsonPattern] = []


class _JsonFile(msgspec.Struct):
    rasa_nlu_data: _JsonData


def parse_rasa_json(path: str, text: Text) -> NluFile:
    """Parse a JSON file of an older version. Raises `UserError` if it is something else."""
    document = Document(path, text.text)
    data = document.decode(_JsonFile, "Rasa's NLU data").rasa_nlu_data
    items = [
        _read_json_example(document, f"/rasa_nlu_data/common_examples/{index}", raw)
        for index, raw in enumerate(data.common_examples)
    ]
    patterns = collect_patterns(
        items,
        [
            (f"/rasa_nlu_data/regex_features/{index}", feature.name, feature.pattern)
            for index, feature in enumerate(data.regex_features)
        ],
    )
    return NluFile(
        path,
        (*document.list_flaws(), *items),
        lookups={
            table.name: make_instances((value, ()) for value in table.elements)
            for table in data.lookup_tables
            if isinstance(table.elements, list)
        },
        synonyms={text: synonym.value for synonym in data.entity_synonyms for text in synonym.synonyms},
        patterns=patterns,
        is_damaged=text.is_damaged,
    )


def _read_json_example(document: Document, pointer: str, raw: msgspec.Raw) -> Item:
    example = document.decode_record(raw, _JsonExample)
    if not isinstance(example, _JsonExample):
        return Flaw(pointer, example)
    entities = []
    for entity in example.entities:
        slot = entity.role or entity.entity
        if not 0 <= entity.start < entity.end <= len(example.text):
            problem = report_span(entity.start, entity.end, example.text, slot)
            return Flaw(pointer, problem, example.intent, example.text)
        surface = example.text[entity.start : entity.end]
        value = None if entity.value in (None, surface) else str(entity.value)
        entities.append(Entity(slot, entity.start, entity.end, entity.entity, value))
    return Example(pointer, example.text, example.intent, tuple(entities))
