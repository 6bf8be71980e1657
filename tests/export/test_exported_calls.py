"""What is exported is true to its own schema: every call validates against the tool that is exported with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest

from exemplars.core import layout
from exemplars.core.ids import SPLITS
from exemplars.core.records import Exemplar, Reason, Rejection
from exemplars.core.tables import read_table, rows_from_table
from exemplars.export.formats import FORMATS
from exemplars.models.calls import CallFormat, MalformedCall, parse_calls
from exemplars.models.rows import TRAINING_SCHEMA, TrainingRow, View
from stages.compile.exemplars import compile_record
from stages.compile.lexicon import Lexicon, Recognizers
from stages.ingest.jsonl import parse_jsonl_file
from stages.ingest.reading import SourceInfo
from stages.ingest.tools import parse_tools
from stages.render.params import Values
from stages.render.prompts import build_prompts
from stages.render.turns import TurnRows
from tests.chat_rows import make_training_row
from tests.render.rows import params

ROOT = Path(__file__).parents[2]
DONTCARE = {"type": "string", "enum": ["dontcare"]}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "book",
            "description": "Books a room.",
            "parameters": {
                "type": "object",
                "properties": {
                    "guests": {"type": "integer", "description": "how many"},
                    "budget": {"type": ["number", "null"], "description": "at most"},
                    "board": {"type": "string", "enum": ["half", "full"], "x-dontcare": True},
                    "stars": {"type": "integer", "enum": [3, 4, 5]},
                    "quiet": {"anyOf": [{"type": "boolean"}, DONTCARE]},
                    "arrival": {"type": "string", "x-recognizer": "time"},
                    "day": {"type": "string"},
                    "extra": {"description": "anything"},
                },
                "required": ["guests"],
            },
        },
    }
]
LINES: list[tuple[str, dict[str, object]]] = [
    ("two guests for 99.50", {"guests": 2, "budget": 99.5}),
    ("one guest, half board, quiet please", {"guests": 1, "board": "half", "quiet": True}),
    ("twelve guests in a five star house", {"guests": 12, "stars": 5}),
    ("three guests, any board, noise is fine", {"guests": 3, "board": "dontcare", "quiet": "dontcare"}),
    ("four guests at half past seven", {"guests": 4, "arrival": "07:30"}),
    ("two guests and three cots", {"guests": 2, "extra": 3}),
    ("two guests and a cot", {"guests": 2, "extra": "cot"}),
    ("a hundred guests for two thousand", {"guests": 100, "budget": 2000}),
]


class ExportedCall(NamedTuple):
    """A call as a consumer of a format reads it, with the JSON Schema of its exported tool."""

    name: str
    arguments: Mapping[str, Any]
    schema: Mapping[str, Any]


def compiled(*lines: tuple[str, Mapping[str, object]]) -> Iterator[Exemplar | Rejection]:
    """Compile lines of labeled JSONL that call `book`."""
    text = "\n".join(
        json.dumps({"utterance": utterance, "skill": "book", "arguments": arguments})
        for utterance, arguments in lines
    )
    skills = {skill.name: skill for skill in parse_tools("tools.json", json.dumps(TOOLS).encode())}
    for record in parse_jsonl_file(SourceInfo("mine", "MIT"), "a.jsonl", text.encode()).records:
        yield compile_record(record, skills, Lexicon(Recognizers({})))


def rendered(exemplar: Exemplar, values: Values, form: CallFormat = CallFormat.PYTHON) -> TrainingRow:
    skills = {skill.name: skill for skill in parse_tools("tools.json", json.dumps(TOOLS).encode())}
    prompts = build_prompts(TurnRows((exemplar,)), skills, ["book"], params(values=values, call_format=form))
    assert isinstance(prompts, tuple)
    [prompt] = prompts
    return make_training_row(
        utterance=exemplar.utterance,
        messages=prompt.messages,
        tools=json.dumps(prompt.definitions),
        calls=prompt.calls,
    )


def read_openai(document: dict[str, Any], row: TrainingRow) -> ExportedCall | None:
    calls = document["messages"][-1].get("tool_calls", ())
    for call in calls:
        function = call["function"]
        schemas = {tool["function"]["name"]: tool["function"]["parameters"] for tool in document["tools"]}
        return ExportedCall(function["name"], json.loads(function["arguments"]), schemas[function["name"]])
    return None


def read_text(text: str, tools: list[dict[str, Any]], row: TrainingRow) -> ExportedCall | None:
    """Read a call as the text that a model learns to write."""
    calls = parse_calls(text, CallFormat.JSON if text.startswith("{") else CallFormat.PYTHON)
    assert not isinstance(calls, MalformedCall), text
    if not calls:
        return None
    [call] = calls
    schemas = {tool["function"]["name"]: tool["function"]["parameters"] for tool in tools}
    return ExportedCall(call.skill, call.arguments, schemas[call.skill])


def read_trl(document: dict[str, Any], row: TrainingRow) -> ExportedCall | None:
    return read_text(
        document["completion"][0]["content"], document.get("tools") or json.loads(row.tools), row
    )


def read_alpaca(document: dict[str, Any], row: TrainingRow) -> ExportedCall | None:
    return read_text(document["output"], json.loads(row.tools), row)


def read_sharegpt(document: dict[str, Any], row: TrainingRow) -> ExportedCall | None:
    last = document["conversations"][-1]
    if last["from"] != "function_call":
        return None
    call = json.loads(last["value"])
    schemas = {tool["name"]: tool["parameters"] for tool in json.loads(document["tools"])}
    return ExportedCall(call["name"], call["arguments"], schemas[call["name"]])


def read_xlam(document: dict[str, Any], row: TrainingRow) -> ExportedCall | None:
    """Read xLAM's Python types as JSON types; `optional` is part of a type."""
    names = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "None": "null"}
    for answer in json.loads(document["answers"]):
        [parameters] = [
            tool["parameters"] for tool in json.loads(document["tools"]) if tool["name"] == answer["name"]
        ]
        types = {name: schema["type"].removesuffix(", optional") for name, schema in parameters.items()}
        schema = {
            "type": "object",
            "properties": {
                name: {"type": [names[part] for part in type_.removeprefix("Union[").rstrip("]").split(", ")]}
                if type_ != "Any"
                else {}
                for name, type_ in types.items()
            },
            "required": [
                name for name, schema in parameters.items() if not schema["type"].endswith("optional")
            ],
        }
        return ExportedCall(answer["name"], answer["arguments"], schema)
    return None


def read_bfcl(document: dict[str, Any], row: TrainingRow) -> ExportedCall | None:
    """Read BFCL's types as JSON types, and the first of the possible answers as the call."""
    names = {"float": "number", "any": ["string", "integer", "number", "boolean"]}
    for truth in document["ground_truth"]:
        [(name, values)] = truth.items()
        [parameters] = [tool["parameters"] for tool in document["function"] if tool["name"] == name]
        assert parameters["type"] == "dict"
        properties = {
            key: {**schema, "type": names.get(schema["type"], schema["type"])}
            for key, schema in parameters["properties"].items()
        }
        schema = {**parameters, "type": "object", "properties": properties}
        return ExportedCall(name, {key: possible[0] for key, possible in values.items()}, schema)
    return None


READERS: dict[str, Callable[[dict[str, Any], TrainingRow], ExportedCall | None]] = {
    "openai": read_openai,
    "trl": read_trl,
    "alpaca": read_alpaca,
    "sharegpt": read_sharegpt,
    "xlam": read_xlam,
    "bfcl": read_bfcl,
}


def find_violation(form: str, row: TrainingRow) -> str | None:
    """Export a row, read it back, and validate its call; return what is wrong."""
    document = json.loads(json.dumps(FORMATS[form](row)))
    call = READERS[form](document, row)
    assert (call is None) == (not row.calls), row.id
    if call is None:
        return None
    schema = {**call.schema, "additionalProperties": False}
    jsonschema.Draft202012Validator.check_schema(schema)
    error = next(jsonschema.Draft202012Validator(schema).iter_errors(dict(call.arguments)), None)
    return None if error is None else f"{row.id}: {call.name}: {error.message}"


def test_every_format_is_read() -> None:
    assert set(READERS) == set(FORMATS)


@pytest.mark.parametrize("call_format", list(CallFormat))
@pytest.mark.parametrize("values", list(Values))
@pytest.mark.parametrize("form", FORMATS)
def test_every_call_validates_against_its_tool(form: str, values: Values, call_format: CallFormat) -> None:
    exemplars = list(compiled(*LINES))
    assert [exemplar for exemplar in exemplars if isinstance(exemplar, Rejection)] == []
    for exemplar in exemplars:
        assert isinstance(exemplar, Exemplar)
        assert find_violation(form, rendered(exemplar, values, call_format)) is None


@pytest.mark.parametrize("form", FORMATS)
def test_numbers_and_booleans_keep_their_types(form: str) -> None:
    arguments = []
    for exemplar in compiled(*LINES):
        assert isinstance(exemplar, Exemplar)
        row = rendered(exemplar, Values.CANONICAL)
        call = READERS[form](json.loads(json.dumps(FORMATS[form](row))), row)
        assert call is not None
        arguments.append(dict(call.arguments))
    assert arguments == [arguments for _, arguments in LINES]
    assert [type(argument["guests"]) for argument in arguments] == [int] * len(LINES)


def test_a_number_is_canonical_even_where_text_is_as_spoken() -> None:
    arguments = []
    for exemplar in compiled(LINES[4], LINES[5]):
        assert isinstance(exemplar, Exemplar)
        row = rendered(exemplar, Values.SPOKEN)
        call = read_openai(FORMATS["openai"](row), row)
        assert call is not None
        arguments.append(call.arguments)
    assert arguments == [{"guests": 4, "arrival": "half past seven"}, {"guests": 2, "extra": 3}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"guests": "umpteen"}, "found 'umpteen' for slot 'guests', expected a value of type integer"),
        ({"guests": "dontcare"}, "expected a value of type integer; leave the argument out, or let the tool"),
        ({"guests": 2, "stars": "dontcare"}, "expected one of 3, 4, 5; leave the argument out, or let the tool"),
        ({"guests": 2, "quiet": "perhaps"}, "found 'perhaps' for slot 'quiet', expected a value of type boolean"),
    ],
)  # fmt: skip
def test_a_value_that_its_type_does_not_admit_is_in_the_ledger(
    arguments: dict[str, object], message: str
) -> None:
    [rejection] = compiled(("umpteen guests", arguments))
    assert isinstance(rejection, Rejection)
    assert rejection.reason is Reason.INVALID_VALUE
    assert message in rejection.message


@pytest.mark.workspace
@pytest.mark.parametrize("form", FORMATS)
def test_every_call_of_the_default_data_validates(form: str) -> None:
    calls, violations = 0, []
    for split in SPLITS:
        rows = rows_from_table(read_table(ROOT / layout.training(split), TRAINING_SCHEMA), TrainingRow)
        for row in rows:
            if row.view == View.CALL:
                calls += len(row.calls)
                violations.append(find_violation(form, row))
    assert calls > 1000
    assert [violation for violation in violations if violation] == []
