"""What is exported is true to its own schema: every call validates against the tool that is exported with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest

from exemplars.core import layout
from exemplars.core.ids import SPLITS
from exemplars.core.records import Exemplar, Reason, Rejection
from exemplars.core.tables import read_table, rows_from_table
from exemplars.export.formats import FORMATS
from exemplars.export.split_export import encode_split
from exemplars.export.turns import ExportedTurn
from exemplars.models.calls import CallFormat, parse_calls
from exemplars.models.prompt_style import Values
from exemplars.models.rows import TRAINING_SCHEMA, TrainingRow, View
from stages.compile.exemplars import compile_record
from stages.compile.lexicon import Lexicon, Recognizers
from stages.ingest.jsonl import parse_jsonl_file
from stages.ingest.reading import SourceInfo
from stages.ingest.tools import parse_tools
from tests.export import test_formats
from tests.export.turns import export_turn

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
SKILLS = {skill.name: skill for skill in parse_tools("tools.json", json.dumps(TOOLS).encode())}
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


class ReadCall(NamedTuple):
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
    for record in parse_jsonl_file(SourceInfo("mine", "MIT"), "a.jsonl", text.encode()).records:
        yield compile_record(record, SKILLS, Lexicon(Recognizers({})))


def exported(exemplar: Exemplar, values: Values, form: CallFormat = CallFormat.PYTHON) -> ExportedTurn:
    return export_turn([exemplar], SKILLS, ["book"], values=values, call_format=form)


def index_schemas(tools: list[dict[str, Any]]) -> dict[str, Any]:
    functions = [tool.get("function", tool) for tool in tools]
    return {function["name"]: function["parameters"] for function in functions}


def read_openai(document: dict[str, Any], tools: str) -> list[ReadCall]:
    schemas = index_schemas(document["tools"])
    functions = [call["function"] for call in document["messages"][-1].get("tool_calls", ())]
    return [
        ReadCall(each["name"], json.loads(each["arguments"]), schemas[each["name"]]) for each in functions
    ]


def read_text(text: str, tools: list[dict[str, Any]]) -> list[ReadCall]:
    """Read calls as the text that a model learns to write."""
    form = CallFormat.JSON if text.startswith(("{", '[{"name"')) else CallFormat.PYTHON
    calls = parse_calls("None" if text == "null" else text, form)
    assert isinstance(calls, tuple), text
    schemas = index_schemas(tools)
    return [ReadCall(call.skill, call.arguments, schemas[call.skill]) for call in calls]


def read_trl(document: dict[str, Any], tools: str) -> list[ReadCall]:
    return read_text(document["completion"][0]["content"], document.get("tools") or json.loads(tools))


def read_alpaca(document: dict[str, Any], tools: str) -> list[ReadCall]:
    return read_text(document["output"], json.loads(tools))


def read_sharegpt(document: dict[str, Any], tools: str) -> list[ReadCall]:
    last = document["conversations"][-1]
    if last["from"] != "function_call":
        return []
    value = json.loads(last["value"])
    schemas = index_schemas(json.loads(document["tools"]))
    calls = value if isinstance(value, list) else [value]
    return [ReadCall(call["name"], call["arguments"], schemas[call["name"]]) for call in calls]


def read_xlam(document: dict[str, Any], tools: str) -> list[ReadCall]:
    """Read xLAM's Python types as JSON types; `optional` is part of a type."""
    parameters = index_schemas(json.loads(document["tools"]))
    return [
        ReadCall(answer["name"], answer["arguments"], read_xlam_schema(parameters[answer["name"]]))
        for answer in json.loads(document["answers"])
    ]


def read_xlam_schema(parameters: dict[str, Any]) -> dict[str, Any]:
    def read_type(text: str) -> dict[str, Any]:
        names = {
            "str": "string", "int": "integer", "float": "number", "bool": "boolean", "dict": "object", "list": "array",
            "None": "null",
        }  # fmt: skip
        if text.startswith("Union["):
            return {"anyOf": [read_type(part) for part in text[6:-1].split(", ")]}
        if text.startswith("List["):
            return {"type": "array", "items": read_type(text[5:-1])}
        return {} if text == "Any" else {"type": names[text]}

    return {
        "type": "object",
        "properties": {
            name: {
                **read_type(schema["type"].removesuffix(", optional")),
                **{key: value for key, value in schema.items() if key != "type"},
            }
            for name, schema in parameters.items()
        },
        "required": [name for name, schema in parameters.items() if not schema["type"].endswith("optional")],
    }


def read_bfcl(document: dict[str, Any], tools: str) -> list[ReadCall]:
    """Read BFCL's types as JSON types, and the first of the possible answers as the call."""
    schemas = index_schemas(document["function"])
    return [
        ReadCall(
            name,
            {key: choose_first(values) for key, values in arguments.items()},
            read_bfcl_schema(schemas[name]),
        )
        for truth in document["ground_truth"]
        for name, arguments in truth.items()
    ]


def choose_first(values: Any) -> Any:
    def choose_inside(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: choose_first(inner) for key, inner in value.items()}
        return [choose_inside(item) for item in value] if isinstance(value, list) else value

    return choose_inside(values[0])


def read_bfcl_schema(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    names = {"float": "number", "dict": "object"}
    read = {key: read_bfcl_schema(inner) for key, inner in schema.items() if key != "type"}
    if "properties" in schema:
        read["properties"] = {key: read_bfcl_schema(inner) for key, inner in schema["properties"].items()}
    if isinstance(schema.get("type"), str) and schema["type"] != "any":
        read["type"] = names.get(schema["type"], schema["type"])
    return read


READERS: dict[str, Callable[[dict[str, Any], str], list[ReadCall]]] = {
    "openai": read_openai,
    "trl": read_trl,
    "alpaca": read_alpaca,
    "sharegpt": read_sharegpt,
    "xlam": read_xlam,
    "bfcl": read_bfcl,
}


@cache
def build_validator(schema: str) -> jsonschema.Draft202012Validator:
    """Check a schema, as JSON, and build its validator: most rows have the same tools."""
    document = json.loads(schema)
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


def find_violations(form: str, document: dict[str, Any], tools: str, names: list[str]) -> list[str]:
    """Read an exported row, and validate its calls; return what is wrong. names: the skills that it must call."""
    calls = READERS[form](json.loads(json.dumps(document)), tools)
    assert [call.name for call in calls] == names
    violations = []
    for call in calls:
        schema = {**call.schema, "additionalProperties": False}
        errors = build_validator(json.dumps(schema)).iter_errors(dict(call.arguments))
        violations += [f"{call.name}: {error.message}" for error in errors]
    return violations


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
        turn = exported(exemplar, values, call_format)
        assert find_violations(form, FORMATS[form](turn), turn.row.tools, ["book"]) == []


@pytest.mark.parametrize("call_format", list(CallFormat))
@pytest.mark.parametrize("form", FORMATS)
def test_nested_arguments_of_several_calls_validate(form: str, call_format: CallFormat) -> None:
    turn = export_turn(test_formats.ROWS, test_formats.SKILLS, call_format=call_format)
    document = FORMATS[form](turn)
    assert find_violations(form, document, turn.row.tools, ["order", "notify"]) == []
    assert [dict(call.arguments) for call in READERS[form](document, turn.row.tools)] == [
        {"dishes": [{"name": "soup", "count": 2}], "tip": 5},
        {"who": "Ada"},
    ]


@pytest.mark.parametrize("form", FORMATS)
def test_numbers_and_booleans_keep_their_types(form: str) -> None:
    arguments = []
    for exemplar in compiled(*LINES):
        assert isinstance(exemplar, Exemplar)
        turn = exported(exemplar, Values.CANONICAL)
        [call] = READERS[form](json.loads(json.dumps(FORMATS[form](turn))), turn.row.tools)
        arguments.append(dict(call.arguments))
    assert arguments == [arguments for _, arguments in LINES]
    assert [type(argument["guests"]) for argument in arguments] == [int] * len(LINES)


@pytest.mark.parametrize(
    ("form", "arrival"),
    [(form, "half past seven" if form in ("trl", "alpaca") else "07:30") for form in FORMATS],
)
def test_text_that_a_model_learns_has_values_as_spoken_and_calls_are_canonical(
    form: str, arrival: str
) -> None:
    arguments = []
    for exemplar in compiled(LINES[4], LINES[5]):
        assert isinstance(exemplar, Exemplar)
        turn = exported(exemplar, Values.SPOKEN)
        [call] = READERS[form](FORMATS[form](turn), turn.row.tools)
        arguments.append(call.arguments)
    assert arguments == [{"guests": 4, "arrival": arrival}, {"guests": 2, "extra": 3}]


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


@pytest.fixture(scope="module")
def default_rows() -> dict[str, list[TrainingRow]]:
    """The rows of this project that call, by split."""
    tables = {split: read_table(ROOT / layout.training(split), TRAINING_SCHEMA) for split in SPLITS}
    return {
        split: [row for row in rows_from_table(table, TrainingRow) if row.view == View.CALL]
        for split, table in tables.items()
    }


@pytest.mark.workspace
@pytest.mark.parametrize("form", FORMATS)
def test_every_call_of_the_default_data_validates(
    form: str, default_rows: dict[str, list[TrainingRow]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    calls, violations = 0, []
    for split, rows in default_rows.items():
        for row, line in zip(rows, encode_split(split, form).splitlines(), strict=True):
            calls += len(row.calls)
            names = [call.skill for call in row.calls]
            violations += find_violations(form, json.loads(line), row.tools, names)
    assert calls > 1000
    assert violations == []
