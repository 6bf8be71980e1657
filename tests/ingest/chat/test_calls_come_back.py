"""`call(read(row)) == call(source)`: whatever the dialect, nothing is flattened, re-typed or reordered."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from exemplars.core.records import Exemplar, Origin, Record, Rejection
from exemplars.dataset.catalog import Skill, parse_tool_definition
from exemplars.dataset.leaves import build_arguments
from exemplars.dataset.recognizers import Recognizers
from stages.compile.exemplars import SourceRules, compile_record
from stages.compile.lexicon import Lexicon
from stages.ingest.chat.conversations import Conversation, Dialect
from stages.ingest.chat.dialects import read_conversation
from stages.ingest.chat.records import RowPlace, build_rows
from stages.ingest.reading import SourceInfo

Call = tuple[str, dict[str, Any]]

NAMES = st.sampled_from(
    ["city", "from", "class", "zip.code", "a[0]", 'say "x"', "two words", "<b>", "ä", "0"]
)
LEAVES = (
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=6)
    | st.sampled_from(["5", "True", "None", "[]", "{}", '"x"', " a ", "dontcare", "1e5", "07"])
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
)
VALUES = st.recursive(
    LEAVES,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(NAMES, values, max_size=3),
    max_leaves=6,
)
ARGUMENTS = st.dictionaries(NAMES, VALUES, max_size=3)
CALLS = st.lists(st.tuples(st.sampled_from(["find", "math.add"]), ARGUMENTS), min_size=1, max_size=3)
TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


def describe(value: Any) -> dict[str, Any]:
    """Write the JSON Schema of a value."""
    if isinstance(value, dict):
        return {"type": "object", "properties": {name: describe(child) for name, child in value.items()}}
    if isinstance(value, list):
        return {"type": "array", "prefixItems": [describe(child) for child in value]}
    return {"type": TYPES[type(value)]}


def define_tools(calls: list[Call], is_typed: bool) -> list[dict[str, Any]]:
    """Define each function by one of its calls; the others may have arguments of other types."""
    tools = {}
    for name, arguments in calls:
        known = tools.setdefault(name, {"anyOf": [], "names": {}})
        for slot, value in arguments.items():
            known["names"].setdefault(slot, []).append(describe(value))
    return [
        {
            "name": name,
            "description": "",
            "parameters": {
                "type": "object",
                "properties": {
                    slot: ({"anyOf": schemas} if len(schemas) > 1 else schemas[0]) if is_typed else {}
                    for slot, schemas in known["names"].items()
                },
            },
        }
        for name, known in tools.items()
    ]


def to_objects(calls: list[Call]) -> list[dict[str, Any]]:
    return [{"name": name, "arguments": arguments} for name, arguments in calls]


def write_messages(calls: list[Call], tools: Any) -> Any:
    tool_calls = [
        {"type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for name, arguments in calls
    ]
    answer = {"role": "assistant", "content": None, "tool_calls": tool_calls}
    return {"messages": [{"role": "user", "content": "Go on"}, answer], "tools": tools}


def write_conversations(texts: list[tuple[str, str]], tools: Any, system: str = "") -> Any:
    messages = [("system", system)] if system else []
    return {
        "conversations": [
            {"from": role, "value": text} for role, text in [*messages, ("human", "Go on"), *texts]
        ],
        **({} if system else {"tools": json.dumps(tools)}),
    }


def write_sharegpt(calls: list[Call], tools: Any) -> Any:
    return write_conversations([("function_call", json.dumps(to_objects(calls)))], tools)


def write_hermes(calls: list[Call], tools: Any) -> Any:
    text = "\n".join(f"<tool_call>\n{json.dumps(call)}\n</tool_call>" for call in to_objects(calls))
    return write_conversations([("gpt", text)], tools, f"Use these: <tools>{json.dumps(tools)}</tools>")


def write_xlam(calls: list[Call], tools: Any) -> Any:
    return {"query": "Go on", "tools": json.dumps(tools), "answers": json.dumps(to_objects(calls))}


def write_glaive(calls: list[Call], tools: Any) -> Any:
    texts = [
        f'ASSISTANT: <functioncall> {{"name": "{name}", "arguments": {json.dumps(arguments)}}} <|endoftext|>'
        for name, arguments in calls
    ]
    system = "SYSTEM: Use these:\n" + "\n".join(json.dumps(tool) for tool in tools)
    return {"system": system, "chat": "\n\n".join(["USER: Go on", *texts])}


def write_toolace(calls: list[Call], tools: Any) -> Any:
    texts = [
        f"{name}({', '.join(f'{slot}={value!r}' for slot, value in arguments.items())})"
        for name, arguments in calls
    ]
    return write_conversations(
        [("assistant", f"[{', '.join(texts)}]")], tools, f"Tools: {json.dumps(tools)}."
    )


def accept(value: Any) -> Any:
    """Write a value as BFCL does: the members of objects have lists of accepted values."""
    if isinstance(value, dict):
        return {name: [accept(child)] for name, child in value.items()}
    return [accept(child) for child in value] if isinstance(value, list) else value


def write_bfcl(calls: list[Call], tools: Any) -> Any:
    answers = [{name: accept(arguments)} for name, arguments in calls]
    return {"question": [[{"role": "user", "content": "Go on"}]], "function": tools, "ground_truth": answers}


WRITERS: dict[Dialect, Callable[[list[Call], Any], Any]] = {
    Dialect.MESSAGES: write_messages,
    Dialect.SHAREGPT: write_sharegpt,
    Dialect.HERMES: write_hermes,
    Dialect.XLAM: write_xlam,
    Dialect.GLAIVE: write_glaive,
    Dialect.BFCL: write_bfcl,
}
PLACE = RowPlace(SourceInfo("mine", "MIT"), Origin("a.jsonl", "0" * 64, "1"), 12)


def read(row: Any) -> tuple[Conversation, list[Record | Rejection], dict[str, Skill]]:
    conversation = read_conversation(row)
    assert isinstance(conversation, Conversation), conversation
    skills = {skill.name: skill for skill in map(parse_tool_definition, conversation.tools)}
    return conversation, list(build_rows(conversation, PLACE, skills)), skills


def rebuild(row: Record | Exemplar, skills: dict[str, Skill]) -> str:
    """Build the call of a row, as text that shows types and the order of keys."""
    assert row.skill is not None
    leaves = [(argument.slot, argument.value) for argument in row.arguments]
    return json.dumps([row.skill, build_arguments(leaves, skills[row.skill])])


@settings(max_examples=60, deadline=None)
@given(CALLS, st.sampled_from(sorted(WRITERS)), st.booleans())
def test_every_call_of_every_dialect_comes_back(calls: list[Call], dialect: Dialect, is_typed: bool) -> None:
    check_calls(WRITERS[dialect](calls, define_tools(calls, is_typed)), dialect, calls)


PYTHON_NAMES = st.sampled_from(["city", "from", "class", "zip.code", "max-age", "ä"])
PYTHON_CALLS = st.lists(
    st.tuples(
        st.sampled_from(["find", "Get Time", "math.add"]), st.dictionaries(PYTHON_NAMES, VALUES, max_size=3)
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=60, deadline=None)
@given(PYTHON_CALLS, st.booleans())
def test_every_call_in_pythons_syntax_comes_back(calls: list[Call], is_typed: bool) -> None:
    check_calls(write_toolace(calls, define_tools(calls, is_typed)), Dialect.TOOLACE, calls)


def check_calls(written: Any, dialect: Dialect, calls: list[Call]) -> None:
    """Check that a row gives the calls that it was written from, as records and as exemplars."""
    conversation, rows, skills = read(json.loads(json.dumps(written)))
    assert conversation.dialect == dialect
    expected = [json.dumps([name, arguments]) for name, arguments in calls]
    records = [row for row in rows if isinstance(row, Record)]
    assert len(records) == len(rows) == len(calls), rows
    assert [rebuild(record, skills) for record in records] == expected
    compiled = [
        compile_record(record, skills, Lexicon(Recognizers()), SourceRules(composes=True))
        for record in records
    ]
    exemplars = [row for row in compiled if isinstance(row, Exemplar)]
    assert [rebuild(exemplar, skills) for exemplar in exemplars] == expected, compiled
