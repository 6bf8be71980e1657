"""The cases of `bad_inputs.py` for conversations and instructions of other tools."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from exemplars.core.records import Argument, Grounding, Mode, Speaker, Turn
from exemplars.dataset.row_labels import CallLabels, RowLabels, add_labels
from tests.benchmarks.bad_input_cases import Case, Target, attack_file, make_case, replace_field

FUNCTION: Final[dict[str, Any]] = {
    "name": "ring",
    "description": "Rings.",
    "parameters": {
        "type": "object",
        "properties": {"who": {"type": "string"}, "times": {"type": "array", "items": {"type": "integer"}}},
        "required": ["who"],
    },
}
CALL: Final = {"name": "ring", "arguments": {"who": "Maria", "times": [1, 2]}}
MESSAGES: Final[dict[str, Any]] = {
    "messages": [
        {"role": "user", "content": "ring Maria"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "a", "type": "function", "function": CALL}],
        },
        {"role": "tool", "tool_call_id": "a", "content": "ok"},
        {"role": "assistant", "content": "Done."},
    ],
    "tools": [{"type": "function", "function": FUNCTION}],
}
ROWS: Final[dict[str, dict[str, Any]]] = {
    "messages": MESSAGES,
    "sharegpt": {
        "conversations": [
            {"from": "human", "value": "ring Maria"},
            {"from": "function_call", "value": json.dumps(CALL)},
            {"from": "observation", "value": "ok"},
            {"from": "gpt", "value": "Done."},
        ],
        "system": "",
        "tools": json.dumps([FUNCTION]),
    },
    "hermes": {
        "conversations": [
            {"from": "system", "value": f"<tools>{json.dumps(FUNCTION)}</tools>"},
            {"from": "human", "value": "ring Maria"},
            {"from": "gpt", "value": f"<tool_call>{json.dumps(CALL)}</tool_call>"},
        ]
    },
    "toolace": {
        "conversations": [
            {"from": "system", "value": f"Tools: {json.dumps([FUNCTION])}"},
            {"from": "user", "value": "ring Maria"},
            {"from": "assistant", "value": '[ring(who="Maria", times=[1, 2])]'},
        ]
    },
    "glaive": {
        "system": f"SYSTEM: {json.dumps(FUNCTION)}",
        "chat": "USER: ring Maria\n\nASSISTANT: <functioncall> "
        '{"name": "ring", "arguments": \'{"who": "Maria"}\'} <|endoftext|>\n\nFUNCTION RESPONSE: ok\n',
    },
    "xlam": {"query": "ring Maria", "tools": json.dumps([FUNCTION]), "answers": json.dumps([CALL])},
    "bfcl": {
        "id": "simple_0",
        "question": [[{"role": "user", "content": "ring Maria"}]],
        "function": [{**FUNCTION, "parameters": {**FUNCTION["parameters"], "type": "dict"}}],
        "ground_truth": [{"ring": {"who": ["Maria", ""], "times": [[1, 2]]}}],
    },
}
INSTRUCTIONS: Final[dict[str, dict[str, Any]]] = {
    "alpaca": {"instruction": "Name a color.", "input": "", "output": "Red", "history": [["Hello", "Hi"]]},
    "dolly": {"instruction": "Name a color.", "context": "", "response": "Red"},
    "flan": {"inputs": "Name a color.", "targets": "Red"},
    "lima": {"conversations": ["Name a color.", "Red"]},
    "completion": {"prompt": "Name a color.", "completion": "Red"},
}


def _nest(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


VALUES: Final[dict[str, Any]] = {
    "null": None,
    "an empty text": "",
    "a list of lists": [[]],
    "an object": {"a": {"b": 1}},
    "an integer of 80 bits": 2**80,
    "a text of 1 MB": "x" * 1_000_000,
    "90 nested lists": _nest(90),
    "a lone surrogate": "\ud800",
    "JSON text of JSON text": json.dumps('{"a": 1}'),
    "a call without an end": '<tool_call>{"name": "ring"',
    "100,000 opening brackets": "[" * 100_000,
    "a python call without an end": "[ring(" + "a=[" * 20_000,
}
SCHEMAS: Final[dict[str, Any]] = {
    "a cycle of references": {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}},
    "a tree of references": {
        "$ref": "#/$defs/a", "$defs": {"a": {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}}},
    },
    "a reference to nowhere": {"$ref": "#/$defs/none"},
    "a reference to a server": {"$ref": "https://example.com/schema.json"},
    "anyOf of nothing": {"anyOf": []},
    "anyOf of lists": {"anyOf": [[1], None]},
    "items that are a tuple": {"type": "array", "items": [{"type": "string"}, {"type": "integer"}]},
    "prefixItems": {"type": "array", "prefixItems": [{"type": "string"}], "items": False},
    "an unknown type": {"type": "frobnicate"},
    "a type that is a number": {"type": 5},
    "an enum that is a text": {"type": "string", "enum": "abc"},
    "an enum of lists": {"enum": [[1], {"a": 1}]},
    "a pattern without an end": {"type": "string", "pattern": "(((("},
    "a pattern that takes long": {"type": "string", "pattern": "^(a+)+$"},
    "an exponential allOf": {"allOf": [{"allOf": [{"allOf": [{"type": "string"}] * 20}] * 20}] * 20},
    "true": True,
    "a text": "string",
    "null": None,
    "1,000 nested schemas": "NESTED",
}  # fmt: skip
NAMES: Final = ("class", "a.b", "a[0]", '"', "<who>", "", " ", "é", "a\nb", "x" * 1_000, "__proto__")
RAW: Final[dict[str, str]] = {
    "NaN": json.dumps(MESSAGES).replace("[1, 2]", "[NaN, Infinity]"),
    "duplicate keys": json.dumps(MESSAGES).replace('"who": "Maria"', '"who": "Maria", "who": "Ada"'),
    "a row that is cut": json.dumps(MESSAGES)[:-30],
    "an integer of 4,000 digits": json.dumps(MESSAGES).replace("[1, 2]", f"[{'9' * 4_000}]"),
    "not an object": "[1, 2]",
    "all dialects in one file": "\n".join(
        json.dumps(row) for row in (*ROWS.values(), *INSTRUCTIONS.values())
    ),
}
ARGUMENTS: Final[dict[str, Argument]] = {
    "a path that is none": Argument("who[", "Maria", None, None, None, Grounding.COMPOSED),
    "a path of 10,000 parts": Argument("who" + ".a" * 10_000, "Maria", None, None, None, Grounding.COMPOSED),
    "an empty path": Argument("", "Maria", None, None, None, Grounding.COMPOSED),
    "a span out of range": Argument("who", "Maria", "Maria", 5, 10_000, Grounding.VERBATIM),
    "a span of 40 bits": Argument("who", "Maria", "Maria", 2**40, 2**40 + 5, Grounding.VERBATIM),
    "a negative span": Argument("who", "Maria", "Maria", -5, -1, Grounding.VERBATIM),
    "half a span": Argument("who", "Maria", "Maria", 5, None, Grounding.VERBATIM),
    "a grounding that is not true": Argument("who", "Ada", None, None, None, Grounding.CONTEXT),
    "a value of 1 MB": Argument("who", "x" * 1_000_000, None, None, None, Grounding.COMPOSED),
    "an index of 60 bits": Argument(f"times[{2**60}]", "1", None, None, None, Grounding.COMPOSED),
}


def list_chat_cases() -> Iterator[Case]:
    """List all cases of other tools' data."""
    line = json.dumps(MESSAGES) + "\n"
    alpaca = json.dumps(INSTRUCTIONS["alpaca"]) + "\n"
    yield from attack_file(
        Target("conversations", "chat", "raw/bad.jsonl", line, {"raw/good.jsonl": line}, has_rows=True)
    )
    yield from attack_file(
        Target("instructions", "instruct", "raw/bad.jsonl", alpaca, {"raw/good.jsonl": alpaca}, has_rows=True)
    )
    for dialect, row in ROWS.items():
        yield from _list_bad_fields(dialect, "chat", row)
    for dialect, row in INSTRUCTIONS.items():
        yield from _list_bad_fields(dialect, "instruct", row)
    for name, raw in RAW.items():
        for form in ("chat", "instruct"):
            yield make_case(
                f"{form} row: {name}",
                form,
                {"raw/a.jsonl": (line if form == "chat" else alpaca) + raw},
                rows=2,
            )
    yield from _list_schemas()
    yield from _list_labels()


def _list_bad_fields(dialect: str, form: str, row: dict[str, Any]) -> Iterator[Case]:
    """List bad values in every field of a row, next to a good row."""
    for field in sorted(_list_fields(row)):
        for name, value in VALUES.items():
            bad = replace_field(row, field, value)
            lines = "".join(f"{json.dumps(each)}\n" for each in (row, bad))
            yield make_case(f"{dialect}: {field} is {name}", form, {"raw/a.jsonl": lines}, rows=2)


def _list_fields(document: Any) -> set[str]:
    if isinstance(document, list):
        return {field for item in document for field in _list_fields(item)}
    if isinstance(document, dict):
        return {*document, *(field for item in document.values() for field in _list_fields(item))}
    return set()


def _list_schemas() -> Iterator[Case]:
    """List schemas of a parameter, and names of parameters, that are hard to read."""
    for name, schema in SCHEMAS.items():
        nested: Any = {"type": "string"}
        for _ in range(40 if schema == "NESTED" else 0):
            nested = {"type": "object", "properties": {"a": nested}}
        function = replace_field(FUNCTION, "who", nested if schema == "NESTED" else schema)
        files = {
            "raw/a.jsonl": json.dumps({**MESSAGES, "tools": [{"type": "function", "function": function}]})
        }
        yield make_case(f"schema: {name}", "chat", files, rows=1)
    function = replace_field(FUNCTION, "who", {"type": "string", "pattern": "^(a+)+$"})
    row = {**MESSAGES, "tools": [{"type": "function", "function": function}]}
    text = json.dumps(row).replace("Maria", "a" * 60 + "!")
    yield make_case("schema: a pattern that takes hours", "chat", {"raw/a.jsonl": text}, rows=1)
    for name in NAMES:
        text = json.dumps(MESSAGES).replace('"who"', json.dumps(name))
        yield make_case(f"parameter: {name!a:.20}", "chat", {"raw/a.jsonl": text}, rows=1)


def _list_labels() -> Iterator[Case]:
    """List labels that fit their row, and are wrong."""
    for name, argument in ARGUMENTS.items():
        labels = RowLabels("", (CallLabels(Mode.NORMAL, "ring", None, (argument,)),))
        yield from _label_rows(name, labels)
    call = CallLabels(Mode.NORMAL, "ring")
    others = {
        "no call": RowLabels("", ()),
        "5,000 calls": RowLabels("", (call,) * 5_000),
        "a mode without a skill": RowLabels("", (CallLabels(Mode.NORMAL),)),
        "an unknown skill": RowLabels("", (CallLabels(Mode.NORMAL, "sing"),)),
        "no turns": RowLabels("", (call,), turns=()),
        "a blank turn": RowLabels("", (call,), turns=(Turn(Speaker.USER, " "),)),
        "the assistant speaks last": RowLabels("", (call,), turns=(Turn(Speaker.ASSISTANT, "hi"),)),
        "tools that are none": RowLabels("", (call,), tools=[{"a": 1}, {"function": None}]),
    }
    for name, labels in others.items():
        yield from _label_rows(name, labels)


def _label_rows(name: str, labels: RowLabels) -> Iterator[Case]:
    for form, row in (("chat", MESSAGES), ("instruct", INSTRUCTIONS["alpaca"])):
        lines = [add_labels(row, labels), row]
        text = b"\n".join(map(msgspec.json.encode, lines)).decode()
        yield make_case(f"labels of {form}: {name}", form, {"raw/a.jsonl": text}, rows=2)
