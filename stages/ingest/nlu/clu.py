"""Projects of Microsoft's Conversational Language Understanding (CLU): offset and length of each entity."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from exemplars.core.ledger import Problem
from exemplars.dataset.recognizers import Instance
from stages.ingest.nlu.code_units import Label, Unit, make_example
from stages.ingest.nlu.documents import Document, Text
from stages.ingest.nlu.examples import SPLIT_NAMES, Flaw, Item, NluFile, collect_patterns, make_instances

_IndexType = Literal["Utf16CodeUnit", "UnicodeCodePoint", "TextElement_V8", "TextElements_v8"]
_UNITS: Final[dict[str, Unit]] = {
    "Utf16CodeUnit": Unit.UTF_16,
    "UnicodeCodePoint": Unit.CODE_POINTS,
    "TextElement_V8": Unit.GRAPHEMES,
    "TextElements_v8": Unit.GRAPHEMES,
}


class _Entity(msgspec.Struct):
    category: str
    offset: int
    length: int


class _Utterance(msgspec.Struct):
    text: str
    intent: str = ""
    dataset: str | None = None
    entities: list[_Entity] = []


class _Synonyms(msgspec.Struct):
    values: list[str] = []


class _SubList(msgspec.Struct):
    listKey: str
    synonyms: list[_Synonyms] = []


class _List(msgspec.Struct):
    sublists: list[_SubList] = []


class _Expression(msgspec.Struct):
    regexPattern: str


class _Regex(msgspec.Struct):
    expressions: list[_Expression] = []


class _Definition(msgspec.Struct):
    category: str
    regex: _Regex | None = None
    values: _List | None = msgspec.field(default=None, name="list")


class _Assets(msgspec.Struct):
    utterances: list[msgspec.Raw] = []
    entities: list[_Definition] = []


class _Project(msgspec.Struct):
    assets: _Assets
    stringIndexType: _IndexType = "Utf16CodeUnit"


def parse_clu(path: str, text: Text) -> NluFile:
    """Parse a CLU project. Raises `UserError` if it is something else."""
    document = Document(path, text.text)
    project = document.decode(_Project, "a CLU project")
    unit = _UNITS[project.stringIndexType]
    items: list[Item] = list(document.list_flaws())
    for index, raw in enumerate(project.assets.utterances):
        pointer = f"/assets/utterances/{index}"
        utterance = document.decode_record(raw, _Utterance)
        if isinstance(utterance, Problem):
            items.append(Flaw(pointer, utterance))
            continue
        labels = [
            Label(entity.category, entity.offset, entity.offset + entity.length, entity.category)
            for entity in utterance.entities
        ]
        split = SPLIT_NAMES.get((utterance.dataset or "").casefold())
        example = make_example(pointer, utterance.text, utterance.intent, labels, split, unit=unit)
        items.append(example)
    patterns = collect_patterns(
        items,
        [
            (f"/assets/entities/{index}/regex/expressions/{number}", entity.category, expression.regexPattern)
            for index, entity in enumerate(project.assets.entities)
            for number, expression in enumerate(entity.regex.expressions if entity.regex else ())
        ],
    )
    lists = {
        entity.category: _make_instances(entity.values) for entity in project.assets.entities if entity.values
    }
    return NluFile(path, tuple(items), lists, patterns=patterns, is_damaged=text.is_damaged)


def _make_instances(values: _List) -> tuple[Instance, ...]:
    return make_instances(
        (value.listKey, [text for synonyms in value.synonyms for text in synonyms.values])
        for value in values.sublists
    )
