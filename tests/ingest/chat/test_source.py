"""Conversations as rows: each call of each answer, what is before it, and what is rejected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exemplars.core.digests import hash_content
from exemplars.core.errors import UserError
from exemplars.core.records import LabelledArgument, Mode, Origin, Record, Speaker, Turn
from stages.ingest.chat.conversations import Dialect
from stages.ingest.params import OnBadFile
from tests.ingest.chat.rows import (
    TOOL,
    ask,
    find_skills,
    make_call,
    make_row,
    read_folder,
    say,
    write_lines,
)


def list_messages(folder: Path, **settings: Any) -> list[tuple[str, str, str]]:
    _, rejections = read_folder(folder, **settings)
    return [(row.id.removeprefix("mine:"), row.reason.value, row.message) for row in rejections]


def test_each_call_of_an_answer_is_a_row_with_what_is_before_it(tmp_path: Path) -> None:
    row = make_row(
        say("Be brief.", "system"),
        say("Weather in Oslo and Rome?"),
        ask(make_call(city="Oslo"), make_call(city="Rome", days=2), text="One moment."),
        say("rain", "tool"),
        say("sun", "tool"),
        say("Rain in Oslo, sun in Rome.", "assistant"),
    )
    write_lines(tmp_path / "a.jsonl", "", row)
    sha256 = hash_content((tmp_path / "a.jsonl").read_bytes())
    records, rejections = read_folder(tmp_path)
    assert rejections == []
    group = records[0].group
    turn = "mine:a.jsonl#2/messages/2"
    assert records == [
        Record(
            id=f"{turn}/tool_calls/{call}",
            turn=turn,
            call=call,
            source="mine",
            utterance="Weather in Oslo and Rome?",
            mode=Mode.NORMAL,
            skill="get_weather",
            service=None,
            arguments=arguments,
            reply="One moment.",
            context=(),
            group=group,
            license="MIT",
            origin=Origin("a.jsonl", sha256, f"2/messages/2/tool_calls/{call}"),
        )
        for call, arguments in enumerate(
            [
                (LabelledArgument("city", "Oslo"),),
                (LabelledArgument("city", "Rome"), LabelledArgument("days", "2")),
            ]
        )
    ] + [
        Record(
            id="mine:a.jsonl#2/messages/5",
            turn="mine:a.jsonl#2/messages/5",
            source="mine",
            utterance="sun",
            speaker=Speaker.TOOL,
            mode=Mode.NONE,
            skill=None,
            service=None,
            arguments=(),
            reply="Rain in Oslo, sun in Rome.",
            context=(
                Turn(Speaker.USER, "Weather in Oslo and Rome?"),
                Turn(
                    Speaker.ASSISTANT,
                    'One moment.\n{"name": "get_weather", "arguments": {"city": "Oslo"}}\n'
                    '{"name": "get_weather", "arguments": {"city": "Rome", "days": 2}}',
                ),
                Turn(Speaker.TOOL, "rain"),
            ),
            group=group,
            license="MIT",
            origin=Origin("a.jsonl", sha256, "2/messages/5"),
        )
    ]


def test_a_call_after_a_result_is_meant_by_its_context(tmp_path: Path) -> None:
    messages = (say("Where is it warm?"), ask(make_call(city="Oslo")), say("3 degrees", "tool"))
    write_lines(tmp_path / "a.jsonl", make_row(*messages, ask(make_call(city="Rome"))))
    _, record = read_folder(tmp_path, context_turns=1)[0]
    assert (record.speaker, record.mode, record.utterance) == (Speaker.TOOL, Mode.EXTENDED, "3 degrees")
    assert record.context == (
        Turn(Speaker.ASSISTANT, '{"name": "get_weather", "arguments": {"city": "Oslo"}}'),
    )


def test_messages_of_the_assistant_in_a_row_are_one_answer(tmp_path: Path) -> None:
    row = {
        "conversations": [
            {"from": "human", "value": "Weather in Oslo?"},
            {"from": "gpt", "value": "One moment."},
            {"from": "function_call", "value": '{"name": "get_weather", "arguments": {"city": "Oslo"}}'},
        ],
        "tools": json.dumps([TOOL]),
    }
    (tmp_path / "a.json").write_text(json.dumps([row]))
    [record] = read_folder(tmp_path)[0]
    assert record.id == "mine:a.json#/0/conversations/2/tool_calls/0"
    assert record.turn == "mine:a.json#/0/conversations/1"
    assert (record.skill, record.reply) == ("get_weather", "One moment.")


def test_messages_without_weight_are_context_and_no_rows(tmp_path: Path) -> None:
    row = make_row(
        say("Hello"),
        {**say("Hi.", "assistant"), "weight": 0},
        say("Weather in Oslo?"),
        ask(make_call(city="Oslo"), weight=1),
    )
    write_lines(tmp_path / "a.jsonl", row, make_row(say("Hello"), {**say("Hi.", "assistant"), "weight": 0}))
    [record], [rejection] = read_folder(tmp_path)
    assert record.context == (Turn(Speaker.USER, "Hello"), Turn(Speaker.ASSISTANT, "Hi."))
    assert (rejection.id, rejection.message) == (
        "mine:a.jsonl#2",
        "a.jsonl:2: found no answer of the assistant that is to be learned, expected a message of the assistant; "
        "add the answer, or remove the conversation",
    )


def test_equal_questions_are_in_one_group_wherever_they_are(tmp_path: Path) -> None:
    first, second = (make_row(say(text), say("Hi.", "assistant")) for text in ("Hello", "Bye"))
    write_lines(tmp_path / "a.jsonl", first, second)
    write_lines(tmp_path / "b.jsonl", second, first)
    groups = {record.id: record.group for record in read_folder(tmp_path)[0]}
    assert groups["mine:a.jsonl#1/messages/1"] == groups["mine:b.jsonl#2/messages/1"]
    assert groups["mine:a.jsonl#1/messages/1"] != groups["mine:a.jsonl#2/messages/1"]


def test_a_faulty_call_rejects_the_others_of_its_answer_and_nothing_else(tmp_path: Path) -> None:
    row = make_row(
        say("Weather in Oslo and Rome?"),
        ask(make_call(city="Oslo"), make_call(city=5)),
        say("rain", "tool"),
        say("Rain.", "assistant"),
    )
    write_lines(tmp_path / "a.jsonl", row)
    records, _ = read_folder(tmp_path)
    assert [record.id for record in records] == ["mine:a.jsonl#1/messages/3"]
    assert list_messages(tmp_path) == [
        (
            "a.jsonl#1/messages/1/tool_calls/0",
            "incomplete_turn",
            "a.jsonl:1#/messages/1/tool_calls/0: mine:a.jsonl#1/messages/1/tool_calls/1, a call of the same turn, is "
            "rejected, and without it the turn would ask for too little; correct that call",
        ),
        (
            "a.jsonl#1/messages/1/tool_calls/1",
            "invalid_value",
            "a.jsonl:1#/messages/1/tool_calls/1/function/arguments/city: found the number '5', expected a value of "
            "type string",
        ),
    ]


def test_what_follows_a_call_that_cannot_be_read_is_rejected_with_its_place(tmp_path: Path) -> None:
    broken = {"function": {"name": "get_weather", "arguments": '{"city": '}}
    row = make_row(
        say("Hello"),
        say("Hi.", "assistant"),
        say("Weather?"),
        ask(make_call(city="Oslo"), broken),
        say("rain", "tool"),
        say("Rain.", "assistant"),
    )
    write_lines(tmp_path / "a.jsonl", row)
    records, rejections = read_folder(tmp_path)
    assert [record.reply for record in records] == ["Hi."]
    place = "a.jsonl:1#/messages/3/tool_calls/1/function/arguments: found arguments that are not JSON, "
    assert {row.message.partition("'")[0] for row in rejections} == {place}
    assert not any("a result without a call" in row.message for row in rejections)
    assert [row.id.removeprefix("mine:a.jsonl#1/messages/") for row in rejections] == [
        "3/tool_calls/0",
        "3/tool_calls/1/function/arguments",
        "5",
    ]


@pytest.mark.parametrize(
    ("row", "reason", "message"),
    [
        (make_row(), "malformed_record", "a.jsonl:1: found no message of a user or an assistant"),
        (
            {"messages": "hello"},
            "malformed_record",
            "a.jsonl:1#/messages: found the text 'hello', expected a list",
        ),
        (
            make_row(say("Hello", "assistant"), say("Hi")),
            "malformed_record",
            "a.jsonl:1#/messages/0: found a first message of the assistant, expected the user's",
        ),
        (
            make_row(say("Weather?"), ask(make_call(city="Oslo")), tools=None),
            "unknown_skill",
            "a.jsonl:1#/messages/1/tool_calls/0/function: found a call of 'get_weather', expected at least one tool",
        ),
        (
            make_row(say("Weather?"), ask(make_call(city="Oslo")), tools="[{"),
            "malformed_record",
            "a.jsonl:1#/tools: found tools that are not JSON (Input data was truncated), expected a list of definitions",
        ),
        (
            make_row(say("Weather?"), ask(make_call(city="Oslo")), tools=5),
            "malformed_record",
            "a.jsonl:1#/tools: found the number '5', expected a list of definitions of tools",
        ),
        (
            make_row(say("Weather?"), ask(make_call(city="Oslo")), tools=[TOOL, {"name": ""}]),
            "malformed_record",
            'a.jsonl:1#/tools/1: found the object \'{"name":""}\', expected a definition with a name',
        ),
        (
            make_row(say("Weather?"), ask(make_call(town="Oslo"))),
            "unknown_slot",
            "a.jsonl:1#/messages/1/tool_calls/0/function/arguments/town: found the argument 'town' of get_weather",
        ),
        (
            make_row(say("Weather?"), ask(make_call(days=2))),
            "missing_argument",
            "a.jsonl:1#/messages/1/tool_calls/0/function: found no argument 'city' of get_weather",
        ),
        (
            make_row(say("Weather?"), ask(make_call(city="Oslo", days="2"))),
            "invalid_value",
            "a.jsonl:1#/messages/1/tool_calls/0/function/arguments/days: found the text '2', expected a value of type integer",
        ),
        (
            make_row(say("Weather?"), ask(make_call(city="Oslo", days=2**70))),
            "invalid_value",
            "a.jsonl:1#/messages/1/tool_calls/0/function: found a larger integer for 'days', expected an integer of at",
        ),
        (
            make_row(say("Weather?"), say("rain", "tool"), say("Rain.", "assistant")),
            "malformed_record",
            "a.jsonl:1#/messages/1: found a result without a call, expected a call before the result",
        ),
        (
            make_row(say("Weather?"), say("In Oslo?"), say("Rain.", "assistant")),
            "malformed_record",
            "a.jsonl:1#/messages/1: found two messages of the user in a row, expected an answer between",
        ),
        (
            make_row(say("Weather?"), say("", "assistant")),
            "malformed_record",
            "a.jsonl:1#/messages/1: found a message of the assistant without text and without a call",
        ),
        (
            make_row(say(" "), say("Hi.", "assistant")),
            "malformed_record",
            "a.jsonl:1#/messages/1: found the utterance ' ', expected what is said",
        ),
        ('{"messages": [NaN]}', "malformed_record", "a.jsonl:1:15: JSON is malformed"),
        (
            '{"messages": [], "messages": []}',
            "malformed_record",
            "a.jsonl:1:18: found the key 'messages' twice",
        ),
        (
            make_row(
                say("Weather?"), ask({"function": {"name": "get_weather", "arguments": '{"a": 1, "a": 2}'}})
            ),
            "malformed_record",
            "a.jsonl:1#/messages/1/tool_calls/0/function/arguments: found arguments that have a key twice",
        ),
        (
            make_row(say("Weather?"), ask({"function": {"name": "get_weather", "arguments": '"{}"'}})),
            "malformed_record",
            "a.jsonl:1#/messages/1/tool_calls/0/function/arguments: found arguments that are encoded twice",
        ),
        (
            make_row(say("Weather?"), ask(make_call(city="x" * 2**20))),
            "too_long",
            "a.jsonl:1: found a record of 1,04",
        ),
        (
            {"text": "a"},
            "malformed_record",
            "a.jsonl:1: found the keys text, expected those of a known dialect",
        ),
    ],
)
def test_a_bad_row_is_one_sentence_and_the_others_are_read(
    tmp_path: Path, row: Any, reason: str, message: str
) -> None:
    write_lines(tmp_path / "a.jsonl", row, make_row(say("Hello"), say("Hi.", "assistant")))
    records, [rejection] = read_folder(tmp_path)
    assert [record.id for record in records] == ["mine:a.jsonl#2/messages/1"]
    assert rejection.reason == reason
    assert rejection.message.startswith(message)
    assert rejection.message.count("\n") == 0


def test_calls_nested_too_deeply_are_rejected(tmp_path: Path) -> None:
    tool = {"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "object"}}}}
    value: Any = 1
    for _ in range(50):
        value = {"b": value}
    write_lines(tmp_path / "a.jsonl", make_row(say("Go"), ask(make_call("f", a=value)), tools=[tool]))
    [(place, reason, message)] = list_messages(tmp_path)
    assert (place, reason) == ("a.jsonl#1/messages/1/tool_calls/0", "malformed_record")
    assert "nested more than 32 deep" in message


def test_a_fixed_dialect_admits_no_other(tmp_path: Path) -> None:
    write_lines(
        tmp_path / "a.jsonl",
        make_row(say("Hello"), say("Hi.", "assistant")),
        {"conversations": [{"from": "human", "value": "Hello"}, {"from": "gpt", "value": "Hi."}]},
    )
    records, [rejection] = read_folder(tmp_path, dialect=Dialect.HERMES)
    assert [record.id for record in records] == ["mine:a.jsonl#2/conversations/1"]
    assert rejection.message == (
        "a.jsonl:1: found a row in the dialect messages, expected hermes, as the source's parameter says; "
        "move the row to another source, or set dialect to null"
    )
    assert len(read_folder(tmp_path)[0]) == 2


def test_answers_of_bfcl_are_joined_by_id_with_all_accepted_values(tmp_path: Path) -> None:
    function = {**TOOL["function"], "parameters": {**TOOL["function"]["parameters"], "type": "dict"}}  # type: ignore[dict-item]
    questions = [
        {"id": f"simple_{number}", "question": [[say(f"Weather in {city}?")]], "function": [function]}
        for number, city in enumerate(("Oslo", "Rome", "Bari"))
    ]
    answers = [
        {"id": "simple_1", "ground_truth": [{"get_weather": {"city": ["Rome", "Roma"], "days": ["", 1]}}]},
        {"id": "simple_0", "ground_truth": [{"get_weather": {"city": ["Oslo"], "days": ["", "N/A"]}}]},
        {"id": "simple_9", "ground_truth": []},
    ]
    write_lines(tmp_path / "BFCL_v4_simple.json", *questions)
    write_lines(tmp_path / "possible_answer/BFCL_v4_simple.json", *answers)
    write_lines(
        tmp_path / "BFCL_v4_irrelevance.json",
        {"id": "irrelevance_0", "question": [[say("Hello")]], "function": [function]},
    )
    records, _ = read_folder(tmp_path)
    assert {record.id.partition("#")[2]: record.arguments for record in records} == {
        "1/ground_truth": (),
        "1/ground_truth/0": (LabelledArgument("city", "Oslo"),),
        "2/ground_truth/0": (
            LabelledArgument("city", "Rome", accepted=("Roma",)),
            LabelledArgument("days", "1", accepted=("",)),
        ),
    }
    assert [(place, reason) for place, reason, _ in list_messages(tmp_path)] == [
        ("BFCL_v4_simple.json#3", "unannotated"),
        ("possible_answer/BFCL_v4_simple.json#3", "malformed_record"),
    ]


def test_parquet_has_no_keys_that_only_other_rows_fill(tmp_path: Path) -> None:
    rows = [
        make_row(
            say(f"Weather in {city}?"),
            ask({"function": {"name": "get_weather", "arguments": {"city": city, **more}}}),
        )
        for city, more in (("Oslo", {}), ("Rome", {"days": 2}))
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    records, rejections = read_folder(tmp_path)
    assert rejections == []
    assert [[(label.slot, label.value) for label in record.arguments] for record in records] == [
        [("city", "Oslo")],
        [("city", "Rome"), ("days", "2")],
    ]
    assert [record.id for record in records] == [
        "mine:a.parquet#/0/messages/1/tool_calls/0",
        "mine:a.parquet#/1/messages/1/tool_calls/0",
    ]


def test_files_that_cannot_be_read_are_named_together_or_rejected(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", make_row(say("Hello"), say("Hi.", "assistant")))
    (tmp_path / "b.json").write_text("")
    (tmp_path / "c.parquet").write_bytes(b"PAR1PAR1")
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "d.parquet")
    with pytest.raises(UserError, match=r"b\.json, byte 0: empty_file.*\nc\.parquet: unreadable_parquet"):
        read_folder(tmp_path)
    records, rejections = read_folder(tmp_path, on_bad_file=OnBadFile.REJECT)
    assert len(records) == 1
    assert [(row.id, row.reason) for row in rejections] == [
        ("mine:b.json#", "unreadable_file"),
        ("mine:c.parquet#", "unreadable_file"),
        ("mine:d.parquet#/0", "malformed_record"),
    ]


def test_the_tools_of_all_rows_become_one_definition_that_accepts_all_calls(tmp_path: Path) -> None:
    def define(**properties: Any) -> dict[str, Any]:
        schema = {"type": "object", "properties": properties, "required": list(properties)}
        return {"name": "find", "description": "", "parameters": schema}

    first = define(n={"type": "integer", "description": "How many."}, kind={"type": "string", "enum": ["a"]})
    second = define(
        n={"type": "number"}, kind={"type": "array", "items": {"type": "string"}}, at={"type": "string"}
    )
    write_lines(
        tmp_path / "a.jsonl",
        make_row(say("Two a"), ask(make_call("find", n=2, kind="a")), tools=[first]),
        make_row(say("Half a 2"), ask(make_call("find", n=0.5, kind=["2"], at="5")), tools=[second]),
    )
    records, rejections = read_folder(tmp_path)
    assert rejections == []
    assert [[(label.slot, label.value) for label in record.arguments] for record in records] == [
        [("n", "2"), ("kind", "a")],
        [("n", "0.5"), ("kind[0]", "2"), ("at", "5")],
    ]
    number, kind, place = find_skills(tmp_path)["find"].parameters
    assert (number.type, number.description, number.required) == ("number", "How many.", True)
    assert kind.schema == {
        "anyOf": [{"type": "string", "enum": ["a"]}, {"type": "array", "items": {"type": "string"}}]
    }
    assert not place.required


def test_tools_json_has_the_tools_of_rows_without_any(tmp_path: Path) -> None:
    (tmp_path / "tools.json").write_text(json.dumps([TOOL]))
    write_lines(tmp_path / "a.jsonl", make_row(say("Weather?"), ask(make_call(city="Oslo")), tools=None))
    [record], rejections = read_folder(tmp_path)
    assert (record.skill, rejections) == ("get_weather", [])
