"""Writers of all dialects: the inverse of the readers, for examples whose words need no escape."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

import yaml

from stages.ingest.nlu.dialects import parse_files
from stages.ingest.nlu.examples import Entity, Example
from stages.ingest.nlu.records import NluOptions, build_reading
from stages.ingest.params import Dialect
from stages.ingest.reading import Reading, SourceInfo

SOURCE = SourceInfo("mine", "MIT")
Files = dict[str, bytes]


def read(
    files: Mapping[str, bytes | str], *, none_intents: Sequence[str] = (), dialect: Dialect | None = None
) -> Reading:
    """Read files of one folder; `seq.in`, `seq.out` and `label` belong together."""
    data = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
    together = "seq.in" in data
    parts = [data] if together else [{path: content} for path, content in data.items()]
    parsed = [(parse_files(part, dialect), "0") for part in parts]
    return build_reading(SOURCE, parsed, NluOptions(frozenset(none_intents), 4))


def write_rasa(examples: Sequence[Example]) -> Files:
    lines = ['version: "3.1"', "nlu:"]
    for example in examples:
        text = write_markup(example)
        lines += [f"- intent: {json.dumps(example.intent)}", "  examples: |", f"    - {text}"]
    return {"nlu.yml": "\n".join([*lines, ""]).encode()}


def write_rasa_lists(examples: Sequence[Example]) -> Files:
    items = [
        {"intent": example.intent, "examples": [{"text": write_markup(example), "metadata": {"a": 1}}]}
        for example in examples
    ]
    return {"nlu.yml": yaml.safe_dump({"nlu": items}, allow_unicode=True, sort_keys=False).encode()}


def write_rasa_json(examples: Sequence[Example]) -> Files:
    rows = [
        {
            "text": example.text,
            "intent": example.intent,
            "entities": [
                {"start": entity.start, "end": entity.end, "entity": entity.slot,
                 "value": example.text[entity.start : entity.end]}
                for entity in example.entities
            ],
        }
        for example in examples
    ]  # fmt: skip
    return {"nlu.json": json.dumps({"rasa_nlu_data": {"common_examples": rows}}).encode()}


def write_snips(examples: Sequence[Example]) -> Files:
    intents: dict[str, list[object]] = {}
    for example in examples:
        segments = [
            {"text": text} | ({} if entity is None else {"entity": entity.slot})
            for text, entity in list_segments(example)
        ]
        intents.setdefault(example.intent, []).append({"data": segments})
    return {"train.json": json.dumps(intents, ensure_ascii=False).encode()}


def write_snips_dataset(examples: Sequence[Example]) -> Files:
    intents: dict[str, dict[str, list[object]]] = {}
    for example in examples:
        segments = [
            {"text": text} | ({} if entity is None else {"entity": "thing", "slot_name": entity.slot})
            for text, entity in list_segments(example)
        ]
        intents.setdefault(example.intent, {"utterances": []})["utterances"].append({"data": segments})
    return {"dataset.json": json.dumps({"intents": intents, "entities": {}, "language": "en"}).encode()}


def write_massive(examples: Sequence[Example]) -> Files:
    lines = [
        json.dumps(
            {
                "id": str(number),
                "locale": "en-US",
                "partition": "train",
                "intent": example.intent,
                "utt": example.text,
                "annot_utt": "".join(
                    text if entity is None else f"[{entity.slot} : {text}]"
                    for text, entity in list_segments(example)
                ),
            }
        )
        for number, example in enumerate(examples)
    ]
    return {"en-US.jsonl": "\n".join(lines).encode()}


def write_luis(examples: Sequence[Example]) -> Files:
    utterances = [
        {
            "text": example.text,
            "intent": example.intent,
            "entities": [
                {"entity": entity.slot, "startPos": count_units(example.text[: entity.start]),
                 "endPos": count_units(example.text[: entity.end]) - 1}
                for entity in example.entities
            ],
        }
        for example in examples
    ]  # fmt: skip
    return {"app.json": json.dumps({"luis_schema_version": "7.0.0", "utterances": utterances}).encode()}


def write_clu(examples: Sequence[Example]) -> Files:
    utterances = [
        {
            "text": example.text,
            "intent": example.intent,
            "language": "en-us",
            "dataset": "Train",
            "entities": [
                {"category": entity.slot, "offset": count_units(example.text[: entity.start]),
                 "length": count_units(example.text[entity.start : entity.end])}
                for entity in example.entities
            ],
        }
        for example in examples
    ]  # fmt: skip
    project = {"stringIndexType": "Utf16CodeUnit", "assets": {"utterances": utterances}}
    return {"project.json": json.dumps(project).encode()}


def write_dialogflow(examples: Sequence[Example]) -> Files:
    intents: dict[str, list[object]] = {}
    for example in examples:
        data = [
            {"text": text} | ({} if entity is None else {"alias": entity.slot, "meta": f"@{entity.slot}"})
            for text, entity in list_segments(example)
        ]
        intents.setdefault(example.intent.replace("/", " "), []).append({"data": data, "isTemplate": False})
    return {
        f"intents/{intent}_usersays_en.json": json.dumps(rows).encode() for intent, rows in intents.items()
    }


def write_alexa(examples: Sequence[Example]) -> Files:
    intents, types = [], []
    for number, example in enumerate(examples):
        names = {entity.slot: f"T{number}_{entity.slot}" for entity in example.entities}
        sample = "".join(
            text if entity is None else f"{{{entity.slot}}}" for text, entity in list_segments(example)
        )
        slots = [{"name": slot, "type": name} for slot, name in names.items()]
        intents.append({"name": example.intent, "slots": slots, "samples": [sample]})
        types += [
            {"name": names[entity.slot], "values": [{"name": {"value": text}}]}
            for text, entity in list_segments(example)
            if entity is not None
        ]
    model = {"interactionModel": {"languageModel": {"intents": intents, "types": types}}}
    return {"en-US.json": json.dumps(model).encode()}


def write_columns(examples: Sequence[Example]) -> Files:
    blocks = [
        "\n".join([f"# intent: {example.intent}", *(f"{word}\t{tag}" for word, tag in list_tags(example))])
        for example in examples
    ]
    return {"all.conll": "\n\n".join(blocks).encode()}


def write_parallel(examples: Sequence[Example]) -> Files:
    tags = [" ".join(tag for _, tag in list_tags(example)) for example in examples]
    lines = ([example.text for example in examples], tags, [example.intent for example in examples])
    return {
        name: "\n".join(part).encode()
        for name, part in zip(("seq.in", "seq.out", "label"), lines, strict=True)
    }


def write_clinc(examples: Sequence[Example]) -> Files:
    return {
        "data.json": json.dumps({"train": [[example.text, example.intent] for example in examples]}).encode()
    }


WRITERS: dict[str, Callable[[Sequence[Example]], Files]] = {
    "rasa": write_rasa,
    "rasa lists": write_rasa_lists,
    "rasa json": write_rasa_json,
    "snips": write_snips,
    "snips dataset": write_snips_dataset,
    "massive": write_massive,
    "luis": write_luis,
    "clu": write_clu,
    "dialogflow": write_dialogflow,
    "alexa": write_alexa,
    "columns": write_columns,
    "parallel": write_parallel,
}
"""Of all dialects with spans."""


def write_markup(example: Example) -> str:
    """Write Rasa's markup: parentheses, or braces for a value or a role."""
    parts = []
    for text, entity in list_segments(example):
        if entity is None:
            parts.append(text)
            continue
        label = {"entity": entity.list_name, "value": entity.value, "role": entity.slot}
        kept = {key: value for key, value in label.items() if value not in (None, label["entity"])}
        braces = json.dumps({"entity": entity.list_name, **kept}, ensure_ascii=False)
        parts.append(f"[{text}]" + (f"({entity.slot})" if not kept else braces))
    return "".join(parts)


def list_segments(example: Example) -> Iterator[tuple[str, Entity | None]]:
    """List the parts of a text, each with its entity if it has one."""
    position = 0
    for entity in example.entities:
        if position < entity.start:
            yield example.text[position : entity.start], None
        yield example.text[entity.start : entity.end], entity
        position = entity.end
    if position < len(example.text):
        yield example.text[position:], None


def list_tags(example: Example) -> Iterator[tuple[str, str]]:
    """List the words of a text, each with its tag."""
    position = 0
    for word in example.text.split(" "):
        owner = next((item for item in example.entities if item.start <= position < item.end), None)
        yield word, "O" if owner is None else f"{'B' if owner.start == position else 'I'}-{owner.slot}"
        position += len(word) + 1


def count_units(text: str) -> int:
    """Count UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2
