"""Each dialect's rows, as conversations, and what is wrong with a row."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exemplars.core.ledger import Problem
from stages.ingest.chat.conversations import Conversation, Dialect, Role
from stages.ingest.chat.dialects import read_conversation

PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city"],
}
TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "description": "Weather.", "parameters": PARAMETERS},
}
ARGUMENTS = {"city": "Oslo", "days": 2}
CALL = {"name": "get_weather", "arguments": ARGUMENTS}


def read(row: Any) -> Conversation:
    conversation = read_conversation(row)
    assert isinstance(conversation, Conversation), conversation
    return conversation


def list_calls(conversation: Conversation) -> list[tuple[str, Any]]:
    return [(call.name, call.arguments) for turn in conversation.turns for call in turn.calls]


def list_faults(row: Any) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.problem.sentence) for fault in read(row).faults]


def test_openai_messages_have_arguments_as_json_text() -> None:
    conversation = read(
        {
            "messages": [
                {"role": "developer", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "Weather in Oslo?"}]},
                {
                    "role": "assistant",
                    "content": None,
                    "weight": 0,
                    "tool_calls": [
                        {
                            "id": "c",
                            "type": "function",
                            "function": {**CALL, "arguments": json.dumps(ARGUMENTS)},
                        }
                    ],
                },
                {"role": "tool", "tool_call_id": "c", "content": "rain"},
            ],
            "tools": [TOOL],
        }
    )
    assert conversation.dialect == Dialect.MESSAGES
    assert [(turn.role, turn.content, turn.is_supervised) for turn in conversation.turns] == [
        (Role.SYSTEM, "Be brief.", True),
        (Role.USER, "Weather in Oslo?", True),
        (Role.ASSISTANT, "", False),
        (Role.TOOL, "rain", True),
    ]
    [call] = conversation.turns[2].calls
    assert (call.name, call.arguments, call.text) == ("get_weather", ARGUMENTS, '{"city": "Oslo", "days": 2}')
    assert call.pointer == "/messages/2/tool_calls/0/function"
    assert conversation.tools == (TOOL,)
    assert conversation.faults == ()


ROWS: dict[Dialect, dict[str, Any]] = {
    Dialect.MESSAGES: {
        "prompt": [{"role": "user", "content": "Weather in Oslo?"}],
        "completion": [
            {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": CALL}]}
        ],
        "tools": json.dumps([TOOL]),
    },
    Dialect.SHAREGPT: {
        "conversations": [
            {"from": "human", "value": "Weather in Oslo?"},
            {"from": "function_call", "value": json.dumps(CALL)},
            {"from": "observation", "value": "rain"},
        ],
        "tools": json.dumps([TOOL["function"]]),
    },
    Dialect.HERMES: {
        "conversations": [
            {"from": "system", "value": f"Tools: <tools>\n{json.dumps(TOOL)}\n</tools>"},
            {"from": "human", "value": "Weather in Oslo?"},
            {"from": "gpt", "value": f"<tool_call>\n{json.dumps(CALL)}\n</tool_call>"},
            {"from": "tool", "value": "<tool_response>\nrain\n</tool_response>"},
        ]
    },
    Dialect.TOOLACE: {
        "system": f"You may call: {json.dumps([TOOL['function']])} Answer with calls.",
        "conversations": [
            {"from": "user", "value": "Weather in Oslo?"},
            {"from": "assistant", "value": '[get_weather(city="Oslo", days=2)]'},
        ],
    },
    Dialect.GLAIVE: {
        "system": f"SYSTEM: You may use functions -\n{json.dumps(TOOL['function'], indent=2)}",
        "chat": "USER: Weather in Oslo?\n\n\nASSISTANT: <functioncall> "
        f'{{"name": "get_weather", "arguments": \'{json.dumps(ARGUMENTS)}\'}} <|endoftext|>'
        "\n\n\nFUNCTION RESPONSE: rain",
    },
    Dialect.XLAM: {
        "query": "Weather in Oslo?",
        "tools": json.dumps(
            [
                {
                    "name": "get_weather",
                    "description": "Weather.",
                    "parameters": {"city": {"type": "str"}, "days": {"type": "int, optional"}},
                }
            ]
        ),
        "answers": json.dumps([CALL]),
    },
    Dialect.BFCL: {
        "question": [[{"role": "user", "content": "Weather in Oslo?"}]],
        "function": [{**TOOL["function"], "parameters": {**PARAMETERS, "type": "dict"}}],
        "ground_truth": [{"get_weather": {"city": ["Oslo", "Oslo, Norway"], "days": [2], "unit": ["", "C"]}}],
    },
}


@pytest.mark.parametrize("dialect", Dialect)
def test_every_dialect_gives_the_same_call_and_tool(dialect: Dialect) -> None:
    conversation = read(ROWS[dialect])
    assert conversation.dialect == dialect
    assert list_calls(conversation) == [("get_weather", ARGUMENTS)]
    assert [turn.content for turn in conversation.turns if turn.role == Role.USER] == ["Weather in Oslo?"]
    assert [turn.content for turn in conversation.turns if turn.role == Role.TOOL] in ([], ["rain"])
    [tool] = conversation.tools
    assert tool["function"]["name"] == "get_weather"
    assert tool["function"]["parameters"] == PARAMETERS
    assert conversation.faults == ()


def test_types_of_python_and_of_other_languages_become_those_of_json_schema() -> None:
    parameters = {
        "a": {"type": "List[str]"},
        "b": {"type": "Dict[str, int]", "default": {}},
        "c": {"type": "Optional[float]"},
        "d": {"type": "Any"},
    }
    row = {"query": "q", "tools": [{"name": "f", "parameters": parameters}], "answers": []}
    assert read(row).tools[0]["function"]["parameters"] == {
        "type": "object",
        "properties": {
            "a": {"type": "array", "items": {"type": "string"}},
            "b": {"default": {}, "type": "object"},
            "c": {"type": "number"},
            "d": {},
        },
        "required": ["a", "c", "d"],
    }


def test_mobile_actions_write_types_in_capitals() -> None:
    parameters = {
        "type": "OBJECT",
        "properties": {"to": {"type": "STRING", "description": "Whom."}, "count": {"type": "INTEGER"}},
        "required": ["to"],
    }
    conversation = read(
        {
            "metadata": "train",
            "tools": [{"function": {"name": "send", "description": "Sends.", "parameters": parameters}}],
            "messages": [
                {"role": "developer", "content": "Today is Monday."},
                {"role": "user", "content": "Send two to Ada"},
                {
                    "role": "assistant",
                    "tool_calls": [{"function": {"name": "send", "arguments": {"to": "Ada", "count": 2}}}],
                },
            ],
        }
    )
    assert (list_calls(conversation), conversation.faults) == ([("send", {"to": "Ada", "count": 2})], ())


def test_calls_and_results_may_be_objects_instead_of_texts() -> None:
    messages = [say_as("user", "Weather?"), {"role": "assistant", "tool_calls": [{"function": CALL}]}]
    openai = {"messages": [*messages, {"role": "tool", "content": {"rain": True}}], "tools": [TOOL]}
    sharegpt = {
        "conversations": [
            {"from": "human", "value": "Weather?"},
            {"from": "function_call", "value": CALL},
            {"from": "observation", "value": {"rain": True}},
        ],
        "tools": [TOOL],
    }
    for row in (openai, sharegpt):
        conversation = read(row)
        assert list_calls(conversation) == [("get_weather", ARGUMENTS)]
        assert (conversation.turns[-1].content, conversation.faults) == ('{"rain": true}', ())


def say_as(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": text}


def test_messages_may_have_their_calls_in_tags() -> None:
    text = 'One moment.\n<tool_call>\n{"name": "get_weather", "arguments": {"city": "Oslo"}}\n</tool_call>'
    conversation = read(
        {
            "messages": [
                {"role": "system", "content": f"Use <tools>{json.dumps(TOOL)}</tools>"},
                {"role": "user", "content": "Weather in Oslo?"},
                {"role": "assistant", "content": text},
                {"role": "tool", "content": "<tool_response>rain</tool_response>"},
            ]
        }
    )
    assert conversation.dialect == Dialect.HERMES
    assert list_calls(conversation) == [("get_weather", {"city": "Oslo"})]
    assert [turn.content for turn in conversation.turns][2:] == ["One moment.", "rain"]
    assert conversation.faults == ()


def test_calls_in_pythons_syntax_keep_nested_values_and_reserved_words() -> None:
    text = "[Search Flights(from='Oslo, N', class=\"a(b\", stops=[1, [2]], fast=true), stop()]"
    row = {"conversations": [{"from": "user", "value": "go"}, {"from": "gpt", "value": text}]}
    assert list_calls(read(row)) == [
        ("Search Flights", {"from": "Oslo, N", "class": "a(b", "stops": [1, [2]], "fast": True}),
        ("stop", {}),
    ]


def message(**keys: Any) -> dict[str, Any]:
    return {
        "messages": [{"role": "user", "content": "Weather?"}, {"role": "assistant", **keys}],
        "tools": [TOOL],
    }


def call(name: str, arguments: Any) -> dict[str, Any]:
    return message(tool_calls=[{"type": "function", "function": {"name": name, "arguments": arguments}}])


FUNCTION = "/messages/1/tool_calls/0/function"


@pytest.mark.parametrize(
    ("row", "pointer", "sentence"),
    [
        (
            call("get_weather", "{city: Oslo}"),
            f"{FUNCTION}/arguments",
            "found arguments that are not JSON, '{city: Oslo}' (JSON is malformed: object keys must be strings (byte 1)), "
            "expected a JSON object; correct the text",
        ),
        (
            call("get_weather", json.dumps(json.dumps(ARGUMENTS))),
            f"{FUNCTION}/arguments",
            "found arguments that are encoded twice: JSON text of JSON text, expected JSON text of an object; "
            "encode them once",
        ),
        (
            call("get_weather", [1]),
            f"{FUNCTION}/arguments",
            "found the list '[1]', expected an object of arguments",
        ),
        (call("", {}), f"{FUNCTION}/name", "found the text '', expected the name of a function"),
        (
            call("get_wether", {"city": "Oslo"}),
            FUNCTION,
            "found a call of 'get_wether', expected get_weather; did you mean 'get_weather'?",
        ),
        (
            call("get_weather", {"city": "Oslo", "day": 2}),
            f"{FUNCTION}/arguments/day",
            "found the argument 'day' of get_weather, expected city, days; did you mean 'days'?",
        ),
        (call("get_weather", {"days": 2}), FUNCTION, "found no argument 'city' of get_weather"),
        (
            call("get_weather", {"city": "Oslo", "days": "2"}),
            f"{FUNCTION}/arguments/days",
            "found the text '2', expected a value of type integer",
        ),
        (
            message(content=7),
            "/messages/1/content",
            "found the number '7', expected a text or a list of parts",
        ),
        (
            {"messages": [{"role": "usr", "content": "a"}, {"role": "user", "content": "b"}]},
            "/messages/0/role",
            "found the text 'usr', expected one of system, user, assistant, tool; did you mean 'user'?",
        ),
        ({"messages": []}, "", "found no message of a user or an assistant, expected a conversation"),
        (
            {"messages": [{"role": "assistant", "content": "Hello"}]},
            "/messages/0",
            "found a first message of the assistant, expected the user's",
        ),
        (
            {"messages": [{"role": "user", "content": "a"}, {"role": "tool", "content": "b"}]},
            "/messages/1",
            "found a result without a call, expected a call before the result",
        ),
        (
            {
                "conversations": [
                    {"from": "human", "value": "a"},
                    {"from": "gpt", "value": '<tool_call>{"name": "f'},
                ]
            },
            "/conversations/1/tool_calls/0",
            'found a <tool_call> that is cut off, \'{"name": "f\', expected </tool_call> after the call',
        ),
        (
            {"query": "q", "tools": "[", "answers": "[]"},
            "/tools",
            "found tools that are not JSON (Input data was truncated), expected a list of definitions",
        ),
        (
            {"query": "q", "tools": 5, "answers": []},
            "/tools",
            "found the number '5', expected a list of definitions of tools",
        ),
        (
            {"conversations": [{"from": "user", "value": "q"}, {"from": "gpt", "value": "[f(a=b+c)]"}]},
            "/conversations/1/tool_calls/0",
            "found 'f(a=b+c)', which is not a call, expected calls with literals, such as f(a=1)",
        ),
    ],
)
def test_what_is_inconsistent_is_named_with_its_place(row: Any, pointer: str, sentence: str) -> None:
    assert list_faults(row) == [(pointer, sentence)]


def test_a_row_of_no_known_dialect_is_named_with_its_keys() -> None:
    problem = read_conversation({"text": "a", "label": 1})
    assert isinstance(problem, Problem)
    assert problem.found == "the keys label, text"
    assert isinstance(read_conversation(["a"]), Problem)


def test_a_schema_with_a_cycle_or_a_damaged_one_is_no_error() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}
    cyclic = {"type": "object", "properties": {"first": {"$ref": "#/$defs/node"}}, "$defs": {"node": node}}
    damaged = {"type": "object", "properties": {"first": {"type": 5}}}
    for parameters in (cyclic, damaged, {"type": "object", "properties": {"first": {"$ref": "other.json"}}}):
        row = call("f", {"first": {"next": {"next": {}}}}) | {
            "tools": [{"name": "f", "parameters": parameters}]
        }
        assert list_faults(row) == []


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda child: st.lists(child) | st.dictionaries(st.text(), child),
    max_leaves=8,
)


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.text(min_size=1), st.dictionaries(st.text(min_size=1), JSON_VALUES)),
        min_size=1,
        max_size=3,
    )
)
def test_calls_come_back_as_they_were_written(calls: list[tuple[str, dict[str, Any]]]) -> None:
    written = [{"name": name, "arguments": arguments} for name, arguments in calls]
    rows = [
        message(tool_calls=[{"function": call} for call in written]),
        message(
            tool_calls=[
                {"function": {**call, "arguments": json.dumps(call["arguments"])}} for call in written
            ]
        ),
        {"query": "q", "answers": json.dumps(written)},
        {"query": "q", "answers": written},
        {"conversations": [{"from": "function_call", "value": json.dumps(written)}]},
    ]
    for row in rows:
        assert list_calls(read(row)) == calls
