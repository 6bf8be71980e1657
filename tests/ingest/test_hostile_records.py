"""Records that would break a reader or a later stage: each has a row of its own in the ledger."""

from __future__ import annotations

import json
import time
import tracemalloc
from typing import Any

import msgspec
import pytest

from exemplars.core.errors import UserError
from exemplars.core.records import Reason, Rejection
from stages.ingest.jsonl import parse_jsonl_file
from stages.ingest.opencui import parse_bot
from stages.ingest.opencui.schemas import parse_schemas
from stages.ingest.reading import Reading, SourceInfo
from stages.ingest.sgd.dialogues import decode_dialogues
from stages.ingest.skills import parse_skill_file

SOURCE = SourceInfo("s", "MIT")
SKILL = """\
#### Prompt:
call(who="[whom]", times=[number])
Calls somebody.

#### Parameters:
times: integer, optional

#### Examples:
### User: call Maria
### Assistant: call(who="Maria")
"""


def parse_lines(*lines: str) -> Reading:
    return parse_jsonl_file(SOURCE, "a.jsonl", "\n".join(lines).encode())


def parse_call(call: str) -> Rejection:
    """Read a skill file with a good pair, and the pair of this call; return the call's rejection."""
    text = f"{SKILL}### User: call x\n### Assistant: {call}\n"
    reading, _ = parse_skill_file(SOURCE, "a.md", text.encode(), None)
    assert [record.utterance for record in reading.records] == ["call Maria"]
    [rejection] = reading.rejections
    return rejection


NO_LITERAL = (
    "found times without a literal, expected text in quotes, a number, True or False; correct the call"
)
LARGER = "found times with a larger integer, expected an integer of at most 64 bits; correct the call"


@pytest.mark.parametrize(
    ("argument", "reason", "message"),
    [
        ("times=" + "-" * 900 + "5", Reason.INVALID_VALUE, NO_LITERAL),
        ("times=" + "-" * 5_000 + "5", Reason.INVALID_VALUE, NO_LITERAL),
        ("times=0x" + "f" * 100_000, Reason.INVALID_VALUE, LARGER),
        ("times=9223372036854775808", Reason.INVALID_VALUE, LARGER),
        (
            "times=1e999",
            Reason.INVALID_VALUE,
            "found times with the number inf, expected a finite number; correct the call",
        ),
        (
            r"note='\ud800'",
            Reason.MALFORMED_RECORD,
            r"""found a backslash that begins no character in "call(who='x', note='\\ud800')", expected """
            "call(name=value, …); write each backslash twice, or an r before the quotes",
        ),
    ],
)
def test_a_literal_that_cannot_be_stored_rejects_its_example(
    argument: str, reason: Reason, message: str
) -> None:
    rejection = parse_call(f"call(who='x', {argument})")
    assert (rejection.id, rejection.reason) == ("s:a.md#11", reason)
    assert rejection.message.split(": ", 1)[1] == message


def test_a_call_with_very_many_mistakes_has_a_message_of_bounded_length() -> None:
    start = time.process_time()
    rejection = parse_call("call(" + ",".join(f"a{number}=1" for number in range(50_000)) + ")")
    assert time.process_time() - start < 60
    assert len(rejection.message) < 5_000


def test_a_line_of_a_skill_file_of_more_than_a_megabyte_is_too_long() -> None:
    text = f"{SKILL}### User: {'a' * 2_000_000}\n### Assistant: call(who='a')\n"
    reading, _ = parse_skill_file(SOURCE, "a.md", text.encode(), None)
    [rejection] = reading.rejections
    assert (rejection.id, rejection.reason) == ("s:a.md#11", Reason.TOO_LONG)
    assert rejection.utterance is not None
    assert len(rejection.utterance) < 100
    assert rejection.message == (
        "a.md:11:1: found a record of 2,000,010 characters, expected at most 1,048,576 bytes; shorten or divide it"
    )


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"arguments": {"who": 2**63}}, Reason.INVALID_VALUE),
        ({"arguments": {"who": -(2**70)}}, Reason.INVALID_VALUE),
        ({"spans": {"who": [0, 2**31]}}, Reason.MALFORMED_RECORD),
        ({"spans": {"who": [-(2**40), 5]}}, Reason.MALFORMED_RECORD),
        ({"arguments": [{"slot": "who", "value": "a", "start": 0, "end": 2**80}]}, Reason.MALFORMED_RECORD),
        ({"skill": ["ring"]}, Reason.MALFORMED_RECORD),
        ({"utterance": "x" * 1_100_000}, Reason.TOO_LONG),
    ],
)
def test_a_number_or_text_that_is_too_large_rejects_its_line(keys: dict[str, Any], reason: Reason) -> None:
    line = {"utterance": "ring a", "skill": "ring", "arguments": {"who": "a"}}
    reading = parse_lines(json.dumps(line), json.dumps({**line, **keys}))
    assert [record.id for record in reading.records] == ["s:a.jsonl#1"]
    assert [(rejection.id, rejection.reason) for rejection in reading.rejections] == [("s:a.jsonl#2", reason)]


@pytest.mark.parametrize(
    "line",
    [
        '{"utterance": "a", "x": ' + "[" * 100_000 + "]" * 100_000 + "}",
        "[" * 100_000,
        r'{"utterance": "\ud800"}',
        r'{"utterance": "\udfff\ud800"}',
        '{"utterance": "a", "skill": "b", "arguments": {"x": ' + "9" * 100_000 + "}}",
    ],
)
def test_json_that_python_cannot_hold_rejects_its_line(line: str) -> None:
    reading = parse_lines('{"utterance": "a"}', line)
    assert [record.id for record in reading.records] == ["s:a.jsonl#1"]
    assert [(rejection.id, rejection.reason) for rejection in reading.rejections] == [
        ("s:a.jsonl#2", Reason.MALFORMED_RECORD)
    ]


def test_a_line_with_very_many_mistakes_has_a_message_of_bounded_length() -> None:
    slots = {f"s{number}": "a" for number in range(10_000)}
    spans = {f"t{number}": [0, 1] for number in range(10_000)}
    start = time.process_time()
    reading = parse_lines(json.dumps({"utterance": "a", "skill": "b", "arguments": slots, "spans": spans}))
    assert time.process_time() - start < 60
    [rejection] = reading.rejections
    assert rejection.reason is Reason.UNKNOWN_SLOT
    assert len(rejection.message) < 5_000


def test_an_utterance_of_50_megabytes_takes_less_than_ten_times_its_size() -> None:
    data = b'{"utterance": "' + b"x" * 50_000_000 + b'"}\n'
    tracemalloc.start()
    reading = parse_jsonl_file(SOURCE, "a.jsonl", data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [rejection.reason for rejection in reading.rejections] == [Reason.TOO_LONG]
    assert reading.rejections[0].utterance is None
    assert peak < 500_000_000


@pytest.mark.parametrize(
    "document",
    [
        {"skills": [{"name": ["order"]}]},
        {"skills": [{"name": 5}]},
        {"skills": [{"name": "order", "slots": [["bread"]]}]},
        {"skills": [{"name": "order", "description": {}}]},
        {"skills": [{"name": "order", "slots": ["b"]}], "slots": {"b": {"x-recognizer": []}}},
        [{"function": {"name": "order", "parameters": {"required": [[]]}}}],
        ["order"],
    ],
)
def test_schemas_whose_parts_have_wrong_types_are_one_sentence(document: Any) -> None:
    with pytest.raises(UserError) as caught:
        parse_schemas("b/schemas.json", msgspec.json.encode(document))
    [problem] = caught.value.diagnostics
    assert (problem.path, problem.code) == ("b/schemas.json", "bad_schemas")


def test_many_expressions_and_many_labels_are_combined_in_linear_time() -> None:
    instances = [{"label": "a", "expressions": [f"a{number}" for number in range(20_000)]}]
    instances += [{"label": f"l{number}", "expressions": [f"l{number}"]} for number in range(20_000)]
    files = {
        "b/schemas.json": {"skills": [{"name": "order", "slots": ["bread"]}], "slots": {"bread": {}}},
        "b/exemplars.json": {"order": [{"template": "one <bread>"}]},
        "b/recognizers.json": {"recognizers": {"bread": {"instances": instances}}},
    }
    start = time.process_time()
    reading = parse_bot(SOURCE, {path: msgspec.json.encode(document) for path, document in files.items()}, 5)
    assert time.process_time() - start < 60
    assert len(reading.records) == 5


def test_a_template_and_an_expression_of_more_than_a_megabyte_are_too_long() -> None:
    files = {
        "b/schemas.json": {"skills": [{"name": "order", "slots": ["bread"]}], "slots": {"bread": {}}},
        "b/exemplars.json": {"order": [{"template": "x" * 1_100_000}, {"template": "one <bread>"}]},
        "b/recognizers.json": {
            "recognizers": {
                "bread": {"instances": [{"label": "rye", "expressions": ["rye", "y" * 1_100_000]}]}
            }
        },
    }
    reading = parse_bot(SOURCE, {path: msgspec.json.encode(document) for path, document in files.items()}, 5)
    assert [record.utterance for record in reading.records] == ["one rye"]
    assert sorted((rejection.id, rejection.reason) for rejection in reading.rejections) == [
        ("s:b/exemplars.json#/order/0", Reason.TOO_LONG),
        ("s:b/exemplars.json#/order/1/1", Reason.TOO_LONG),
    ]


def test_a_dialogue_that_cannot_be_held_is_rejected_and_the_others_are_read() -> None:
    good = {"dialogue_id": "1", "turns": []}
    turn = {"speaker": "USER", "utterance": "a", "frames": []}
    span = {"service": "S", "slots": [{"slot": "a", "start": 0, "exclusive_end": 2**31}]}
    bad = [
        {"dialogue_id": "2", "turns": [{**turn, "utterance": "x" * 1_100_000}]},
        {"dialogue_id": "3", "turns": [{**turn, "frames": [span]}]},
    ]
    decoded = decode_dialogues("dialogues_001.json", json.dumps([good, *bad]).encode())
    assert [dialogue.dialogue_id for _, dialogue in decoded.dialogues] == ["1"]
    assert [(index, problem.reason) for index, problem in decoded.malformed] == [
        (1, Reason.TOO_LONG),
        (2, Reason.MALFORMED_RECORD),
    ]


def test_dialogues_that_are_nested_too_deep_are_one_sentence() -> None:
    data = b'[{"dialogue_id": "1", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]"
    with pytest.raises(UserError, match=r"^dialogues_001.json, byte \d+: not_json: .*levels deep"):
        decode_dialogues("dialogues_001.json", data)
