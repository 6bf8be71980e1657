"""Snips' JSON: `{intent: [{"data": [{"text", "entity"}]}]}`, datasets with `intents` and `entities`, entity files."""

from __future__ import annotations

import msgspec

from exemplars.core.json_pointers import escape_key
from exemplars.core.ledger import Problem
from exemplars.dataset.recognizers import Instance
from stages.ingest.nlu.documents import Document, Text
from stages.ingest.nlu.examples import (
    Example,
    Flaw,
    Item,
    NluFile,
    Part,
    join_segments,
    make_instances,
    report_malformed,
)

_EXPECTED = '{intent: [{"data": [{"text", "entity"}]}]}'


class _Segment(msgspec.Struct):
    text: str
    entity: str | None = None
    slot_name: str | None = None


class _Utterance(msgspec.Struct):
    data: list[_Segment]


class _Intent(msgspec.Struct):
    utterances: list[msgspec.Raw] = []


class _Value(msgspec.Struct):
    value: str
    synonyms: list[str] = []


class _ValueList(msgspec.Struct):
    data: list[_Value | str] = []


def parse_snips(path: str, text: Text) -> NluFile:
    """Parse a file. Raises `UserError` if it is something else."""
    document = Document(path, text.text)
    members = document.decode(dict[str, msgspec.Raw], _EXPECTED)
    items: list[Item] = list(document.list_flaws())
    lists: dict[str, tuple[Instance, ...]] = {}
    if "intents" in members and "entities" in members:
        _read_lists(document, "/entities", members["entities"], items, lists)
        intents = document.decode_part(members["intents"], dict[str, _Intent])
        if isinstance(intents, Problem):
            items.append(Flaw("/intents", intents))
        else:
            for name, intent in intents.items():
                pointer = f"/intents/{escape_key(name)}/utterances"
                items += _read_utterances(document, pointer, name, intent.utterances)
        return NluFile(path, tuple(items), lists, is_damaged=text.is_damaged)
    for name, raw in members.items():
        pointer = f"/{escape_key(name)}"
        if bytes(raw).startswith(b"["):
            utterances = msgspec.json.decode(raw, type=list[msgspec.Raw])
            items += _read_utterances(document, pointer, name, utterances)
        else:
            _read_lists(document, "", raw, items, lists, name)
    return NluFile(path, tuple(items), lists, is_damaged=text.is_damaged)


def _read_lists(
    document: Document,
    pointer: str,
    raw: msgspec.Raw,
    items: list[Item],
    lists: dict[str, tuple[Instance, ...]],
    name: str | None = None,
) -> None:
    """Read the values of all entities, or of the entity of that name."""
    if name is None:
        read = document.decode_part(raw, dict[str, _ValueList])
    else:
        pointer = f"/{escape_key(name)}"
        member = b"{%s:%s}" % (msgspec.json.encode(name), bytes(raw))
        read = document.decode_part(msgspec.Raw(member), dict[str, _ValueList])
    if isinstance(read, Problem):
        items.append(Flaw(pointer, read))
        return
    for entity, values in read.items():
        lists[entity] = make_instances(
            (value, ()) if isinstance(value, str) else (value.value, value.synonyms) for value in values.data
        )


def _read_utterances(
    document: Document, pointer: str, intent: str, utterances: list[msgspec.Raw]
) -> list[Item]:
    items: list[Item] = []
    for index, raw in enumerate(utterances):
        utterance = document.decode_record(raw, _Utterance)
        if isinstance(utterance, Problem):
            items.append(Flaw(f"{pointer}/{index}", utterance, intent))
        else:
            items.append(_read_utterance(f"{pointer}/{index}", intent, utterance))
    return items


def _read_utterance(pointer: str, intent: str, utterance: _Utterance) -> Item:
    parts = [
        Part(segment.text, segment.slot_name or segment.entity, segment.entity or "")
        for segment in utterance.data
    ]
    text, entities = join_segments(parts)
    blank = next((part.slot for part in parts if part.slot is not None and not part.text.strip()), None)
    if blank is not None:
        problem = report_malformed(
            f"the entity {blank!r} without a text", "its text", "fill it in, or remove it"
        )
        return Flaw(pointer, problem, intent, text)
    return Example(pointer, text, intent, entities)
