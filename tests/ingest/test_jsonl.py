from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.errors import UserError
from exemplars.core.records import LabelledArgument, Mode, Reason, Speaker, Turn
from exemplars.dataset.catalog import Skill, build_tool_definition
from exemplars.dataset.leaves import build_arguments
from exemplars.dataset.parameters import Parameter
from stages.ingest.jsonl import (
    fit_values,
    infer_skills,
    parse_jsonl_file,
    read_examples,
    reject_incomplete,
)
from stages.ingest.reading import Reading, SourceInfo
from stages.ingest.tools import parse_tools

SOURCE = SourceInfo("mine", "MIT")


def parse(*lines: str) -> Reading:
    return parse_jsonl_file(SOURCE, "a.jsonl", "\n".join(lines).encode())


def test_a_line_becomes_a_record() -> None:
    [record] = parse(
        '{"utterance": "call Maria at home", "skill": "call", "arguments": {"who": "Maria", "loud": true, "n": 5}}'
    ).records
    assert (record.id, record.skill, record.mode, record.license) == (
        "mine:a.jsonl#1",
        "call",
        Mode.NORMAL,
        "MIT",
    )
    assert record.arguments == (
        LabelledArgument("who", "Maria"),
        LabelledArgument("loud", "True"),
        LabelledArgument("n", "5"),
    )


def test_spans_come_from_the_arguments_the_map_or_the_template() -> None:
    reading = parse(
        '{"utterance": "call Maria", "skill": "call", "arguments": [{"slot": "who", "value": "M", "surface": "Maria", "start": 5, "end": 10}]}',
        '{"utterance": "call Maria", "skill": "call", "arguments": {"who": "Maria"}, "spans": {"who": [5, 10]}}',
        '{"utterance": "call Maria", "skill": "call", "arguments": {"who": "Maria"}, "exemplar": "call <who>"}',
    )
    assert [record.arguments[0] for record in reading.records] == [
        LabelledArgument("who", "M", ("Maria",), 5, 10),
        LabelledArgument("who", "Maria", (), 5, 10),
        LabelledArgument("who", "Maria", ("Maria",), 5, 10),
    ]


def test_nested_arguments_become_leaves_by_path_and_so_do_their_spans() -> None:
    nested, listed = parse(
        '{"utterance": "two soups", "skill": "order", "arguments": {"dishes": [{"name": "soup", "count": 2}], "zip code": "5", "notes": []}, "spans": {"dishes[0].name": [4, 8]}}',
        '{"utterance": "two soups", "skill": "order", "arguments": [{"slot": "dishes[0]", "value": {"name": "soup"}}, {"slot": "dishes[0].count", "value": 2, "start": 0, "end": 3}]}',
    ).records
    assert nested.arguments == (
        LabelledArgument("dishes[0].name", "soup", (), 4, 8),
        LabelledArgument("dishes[0].count", "2"),
        LabelledArgument('["zip\\u0020code"]', "5"),
        LabelledArgument("notes", "[]"),
    )
    assert listed.arguments == (
        LabelledArgument("dishes[0].name", "soup"),
        LabelledArgument("dishes[0].count", "2", (), 0, 3),
    )


def test_a_template_gives_the_spans_of_leaves() -> None:
    [record] = parse(
        '{"utterance": "soup and pie", "skill": "order", "arguments": {"dishes": ["soup", "pie"]}, "exemplar": "<dishes[0]> and <dishes[1]>"}'
    ).records
    assert record.arguments == (
        LabelledArgument("dishes[0]", "soup", ("soup",), 0, 4),
        LabelledArgument("dishes[1]", "pie", ("pie",), 9, 12),
    )


def test_speaker_and_reply_are_kept() -> None:
    [record] = parse(
        '{"utterance": "{\\"temp\\": 5}", "speaker": "tool", "reply": "It is 5 degrees.", "context": [{"speaker": "user", "utterance": "How cold is it?"}, {"speaker": "tool", "utterance": "…"}]}'
    ).records
    assert (record.speaker, record.utterance, record.reply, record.mode) == (
        Speaker.TOOL,
        '{"temp": 5}',
        "It is 5 degrees.",
        Mode.NONE,
    )
    assert record.context == (Turn(Speaker.USER, "How cold is it?"), Turn(Speaker.TOOL, "…"))


def test_values_are_written_as_their_parameters_need_it() -> None:
    maybe = Parameter("unit", type=None, schema={"type": ["string", "null"]})
    skill = Skill("f", parameters=(Parameter("text"), Parameter("any", type=None), maybe))
    line = '{"utterance": "x", "skill": "f", "arguments": {"text": "5", "any": "5", "unit": null}}'
    [record] = parse_jsonl_file(SOURCE, "a.jsonl", line.encode(), [skill]).records
    assert {label.slot: label.value for label in record.arguments} == {
        "text": "5",
        "any": '"5"',
        "unit": "None",
    }


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("null", "found null for slot 'text', expected a value of type string; leave out an argument that has no value"),
        ("[]", "found an empty list for slot 'text', expected a value of type string; correct the value"),
        ("{}", "found an empty object for slot 'text', expected a value of type string; correct the value"),
    ],
)  # fmt: skip
def test_what_a_parameter_cannot_have_is_rejected(value: str, message: str) -> None:
    skill = Skill("f", parameters=(Parameter("text"),))
    line = f'{{"utterance": "x", "skill": "f", "arguments": {{"text": {value}}}}}'
    [rejection] = parse_jsonl_file(SOURCE, "a.jsonl", line.encode(), [skill]).rejections
    assert (rejection.reason, rejection.slot, rejection.message) == (
        Reason.INVALID_VALUE,
        "text",
        f"a.jsonl:1: {message}",
    )


def test_without_a_skill_the_mode_is_none() -> None:
    [record] = parse('{"utterance": "um"}').records
    assert (record.skill, record.mode) == (None, Mode.NONE)


def test_context_group_split_and_license_are_kept() -> None:
    [record] = parse(
        '{"utterance": "yes", "skill": "call", "mode": "extended", "context": [{"speaker": "assistant", "utterance": "Call?"}], "group": "d1", "split": "test", "license": "CC0-1.0", "service": "S_1"}'
    ).records
    assert record.context == (Turn(Speaker.ASSISTANT, "Call?"),)
    assert (record.group, record.split, record.license, record.service) == (
        "mine:d1",
        "test",
        "CC0-1.0",
        "S_1",
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"utterance": "x", "skil": "call"}', "a.jsonl:2: object contains unknown field `skil` in '"),
        ('{"skill": "call"}', "object missing required field `utterance`"),
        ('{"utterance": 5}', "expected `str`, got `int` - at `$.utterance`"),
        ('{"utterance": "x"', "a.jsonl:2:18: input data was truncated"),
        ('{"utterance": "x", "mode": "loud"}', "a.jsonl:2: found mode 'loud', expected one of normal, extended, negative, none; correct the mode"),
        ("nonsense", "a.jsonl:2:5: JSON is malformed: invalid character (byte 4) in 'nonsense'; write a JSON object with utterance, skill, "),
    ],
)  # fmt: skip
def test_a_line_that_does_not_fit_is_rejected_and_the_others_are_read(line: str, message: str) -> None:
    reading = parse('{"utterance": "ok"}', line, "", '{"utterance": "fine"}')
    assert [record.id for record in reading.records] == ["mine:a.jsonl#1", "mine:a.jsonl#4"]
    [rejection] = reading.rejections
    assert (rejection.id, rejection.reason) == ("mine:a.jsonl#2", Reason.MALFORMED_RECORD)
    assert message in rejection.message


def test_a_misspelled_key_gets_a_suggestion() -> None:
    assert "did you mean 'skill'?" in parse('{"utterance": "x", "skil": "call"}').rejections[0].message


def test_a_template_that_does_not_fit_is_rejected() -> None:
    [rejection] = parse(
        '{"utterance": "call Maria", "skill": "call", "arguments": {"who": "Maria"}, "exemplar": "ring <who>"}'
    ).rejections
    assert rejection.reason is Reason.EXEMPLAR_MISMATCH


def test_tools_are_read_and_broken_ones_are_reported() -> None:
    assert parse_tools("tools.json", b'[{"type": "function", "function": {"name": "call"}}]') == (
        Skill("call"),
    )
    for data, message in (
        (b"[{}]", r"object missing required field `function` - at `\$\[0\]`"),
        (b"{", "byte 1|truncated|expected `array`"),
        (b'{"a": 1}', "expected `array`"),
    ):
        with pytest.raises(UserError, match="(?i)" + message):
            parse_tools("tools.json", data)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("null", "expected `object`, got `null` - at `$[0].function`"),
        ('{"name": 5}', "expected `str`, got `int` - at `$[0].function.name`"),
        ('{"name": ""}', "expected `str` of length >= 1 - at `$[0].function.name`"),
        (
            '{"name": "f", "parameters": {"required": null}}',
            "expected `array`, got `null` - at `$[0].function.parameters.required`",
        ),
        (
            '{"name": "f", "parameters": {"properties": {"n": {"enum": null}}}}',
            "the enum 'null' at n.enum of 'f'",
        ),
        (
            '{"name": "f", "parameters": {"properties": []}}',
            "expected `object`, got `array` - at `$[0].function.parameters.properties`",
        ),
        (
            '{"name": "f", "parameters": {"properties": {"time": {}}, "required": ["tiem"]}}',
            "'f' requires 'tiem', which its properties do not have; did you mean 'time'?",
        ),
    ],
)
def test_a_tool_of_a_wrong_form_is_described_by_its_place_in_the_document(
    function: str, message: str
) -> None:
    data = f'[{{"type": "function", "function": {function}}}]'.encode()
    with pytest.raises(UserError) as error:
        parse_tools("tools.json", data)
    assert str(error.value).startswith(f"tools.json: bad_tools: not a list of tool definitions: {message}")


def test_a_tool_with_a_key_twice_in_one_object_is_reported_with_its_place() -> None:
    data = b'[{"function": {"name": "f",\n"parameters": {"properties": {"n": {}, "n": {}}}}}]'
    with pytest.raises(
        UserError, match=r"^tools.json:2:40: repeated_key: found the key 'n' twice in one object"
    ):
        parse_tools("tools.json", data)


def test_parameters_of_a_tool_may_be_missing_or_null() -> None:
    data = b'[{"function": {"name": "f"}}, {"function": {"name": "g", "parameters": null}}]'
    assert parse_tools("tools.json", data) == (Skill("f"), Skill("g"))


CALL = Skill("call", parameters=(Parameter("who", required=True), Parameter("when", required=True)))


def test_a_request_without_a_required_argument_is_rejected_and_other_rows_are_kept() -> None:
    reading = parse(
        '{"utterance": "call Maria at 5", "skill": "call", "arguments": {"who": "Maria", "when": "5"}}',
        '{"utterance": "call Maria", "skill": "call", "arguments": {"who": "Maria"}}',
        '{"utterance": "yes", "skill": "call", "mode": "extended"}',
        '{"utterance": "do not call", "skill": "call", "mode": "negative"}',
        '{"utterance": "ring Maria", "skill": "ring"}',
        '{"utterance": "um"}',
    )
    checked = reject_incomplete(reading, [CALL])
    assert [record.origin.locator for record in checked.records] == ["1", "4", "5", "6"]
    assert [
        (rejection.id, rejection.reason, rejection.slot, rejection.message)
        for rejection in checked.rejections
    ] == [
        (
            "mine:a.jsonl#2",
            Reason.MISSING_ARGUMENT,
            "when",
            "a.jsonl:2: found no when, expected the required when; add what is missing, or correct `required` in "
            "tools.json",
        ),
        (
            "mine:a.jsonl#3",
            Reason.MISSING_ARGUMENT,
            "who",
            "a.jsonl:3: found no who, when, expected the required who, when; add what is missing, or correct "
            "`required` in tools.json",
        ),
    ]


@pytest.mark.parametrize(
    ("members", "reason", "message"),
    [
        ('"skill": "say", "split": "dev"', Reason.MALFORMED_RECORD, "found split 'dev', expected one of train, validation, test; did you mean 'validation'?"),
        ('"skill": "say", "split": "Train"', Reason.MALFORMED_RECORD, "found split 'Train', expected one of train, validation, test; did you mean 'train'?"),
        ('"skill": "say", "split": "tset"', Reason.MALFORMED_RECORD, "found split 'tset', expected one of train, validation, test; did you mean 'test'?"),
        ('"skill": "say", "split": "holdout"', Reason.MALFORMED_RECORD, "found split 'holdout', expected one of train, validation, test; correct the split"),
        ('"skill": "say", "mode": "normall"', Reason.MALFORMED_RECORD, "found mode 'normall', expected one of normal, extended, negative, none; did you mean 'normal'?"),
        ('"context": [{"speaker": "system", "utterance": "hi"}]', Reason.MALFORMED_RECORD, "found speaker 'system', expected one of user, assistant, tool; did you mean 'assistant'?"),
        ('"skill": "say", "mode": "none"', Reason.MALFORMED_RECORD, "found mode 'none' with the skill 'say', expected no skill, or mode 'normal', 'extended' or 'negative'; remove the skill, or correct the mode"),
        ('"mode": "normal"', Reason.MALFORMED_RECORD, "found mode 'normal' without a skill, expected a skill, or mode 'none'; name the skill, or correct the mode"),
        ('"skill": " "', Reason.MALFORMED_RECORD, "found an empty skill, expected the name of a skill, or null; name the skill"),
        ('"skill": "say", "arguments": {"": "x"}', Reason.MALFORMED_RECORD, "found an argument with an empty slot, expected the name of a slot; name the slot"),
        ('"skill": "say", "arguments": {"what": "x"}, "spans": {"waht": [0, 1]}', Reason.UNKNOWN_SLOT, "found a span of slot 'waht', expected one of what; did you mean 'what'?"),
        ('"skill": "say", "license": "Apache 2.0"', Reason.MALFORMED_RECORD, "the license 'Apache 2.0' is not an SPDX expression: 'Apache 2.0' is not an SPDX identifier; did you mean 'Apache-2.0'?"),
        ('"skill": "say", "license": ""', Reason.MALFORMED_RECORD, "the license '' is not an SPDX expression: it is empty; write an SPDX expression (https://spdx.org/licenses), such as CC-BY-4.0 or MIT OR Apache-2.0, or name terms of your own LicenseRef-<name>"),
        ('"skill": "say", "arguments": {"what": ["a"]}, "spans": {"what": [0, 1]}', Reason.UNKNOWN_SLOT, "found a span of slot 'what', expected one of what[0]; did you mean 'what[0]'?"),
        ('"skill": "say", "arguments": [{"slot": "what[0", "value": "x"}]', Reason.MALFORMED_RECORD, "found slot 'what[0', expected a name, or a path such as dishes[0].count; correct the slot"),
        ('"skill": "say", "arguments": [{"slot": "what", "value": ["x"], "start": 0, "end": 1}]', Reason.MALFORMED_RECORD, "found a text or a span of slot 'what', which has several values, expected a span of one value; write one argument for each value"),
        ('"skill": "say", "arguments": {"what": {"n": 9223372036854775808}}', Reason.INVALID_VALUE, "found a larger integer, expected an integer of at most 64 bits; correct the value"),
        ('"skill": "say", "arguments": {"what": null}', Reason.INVALID_VALUE, "found null for slot 'what', expected a value; leave out an argument that has no value"),
        ('"skill": "say", "call": 1', Reason.MALFORMED_RECORD, "found call 1 without a turn, expected `turn`; name the turn, or leave out the call"),
        ('"skill": "say", "turn": " "', Reason.MALFORMED_RECORD, "found an empty turn, expected a name; name the turn, or leave it out"),
        ('"speaker": "assistant"', Reason.MALFORMED_RECORD, "found the speaker 'assistant' of an utterance, expected user or tool; put what the assistant says into `reply`, or into `context` if a later turn follows"),
        ('"speaker": "function"', Reason.MALFORMED_RECORD, "found speaker 'function', expected one of user, assistant, tool; did you mean 'tool'?"),
        ('"reply": ""', Reason.MALFORMED_RECORD, "found the reply '', expected text; fill it in, or leave it out"),
        ('"skill": "say", "spans": {"what": [0, 1]}', Reason.UNKNOWN_SLOT, "found a span of slot 'what', expected no span, since there is no argument; correct the slot"),
    ],
)  # fmt: skip
def test_a_line_that_contradicts_itself_or_leaves_a_closed_set_is_rejected(
    members: str, reason: Reason, message: str
) -> None:
    reading = parse(f'{{"utterance": "x", {members}}}')
    assert reading.records == ()
    assert [(rejection.reason, rejection.message) for rejection in reading.rejections] == [
        (reason, f"a.jsonl:1: {message}")
    ]


@pytest.mark.parametrize(
    ("members", "key", "column"),
    [
        ('"skill": "say", "skill": "ring"', "skill", 36),
        ('"skill": "say", "arguments": {"what": "a", "what": "x"}', "what", 63),
    ],
)
def test_a_line_with_a_key_twice_in_one_object_is_rejected_with_its_place(
    members: str, key: str, column: int
) -> None:
    reading = parse(f'{{"utterance": "x", {members}}}')
    assert reading.records == ()
    assert [(rejection.reason, rejection.message) for rejection in reading.rejections] == [
        (
            Reason.MALFORMED_RECORD,
            f"a.jsonl:1:{column}: found the key '{key}' twice in one object, expected each key once; "
            "remove one of the two",
        )
    ]


@pytest.mark.parametrize("text", ["", "   ", "\\t\\u200b"])
def test_an_utterance_that_says_nothing_is_rejected(text: str) -> None:
    reading = parse(f'{{"utterance": "{text}", "skill": "say"}}', '{"utterance": "?", "skill": "say"}')
    assert [record.utterance for record in reading.records] == ["?"]
    [rejection] = reading.rejections
    assert rejection.reason is Reason.MALFORMED_RECORD
    assert "expected what is said, as text; fill it in, or remove the record" in rejection.message


def test_without_tools_the_catalog_is_inferred_from_the_examples() -> None:
    reading = parse(
        '{"utterance": "a", "skill": "f", "arguments": {"n": 1, "b": true, "x": 1.5, "s": "1a"}}',
        '{"utterance": "b", "skill": "f", "arguments": {"n": 2, "x": 2}}',
    )
    assert infer_skills(reading.records) == (
        Skill(
            "f",
            parameters=(
                Parameter("n", type="integer"),
                Parameter("b", type="boolean"),
                Parameter("x", type="number"),
                Parameter("s", type="string"),
            ),
            inferred=True,
        ),
    )


LITERALS = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    st.sampled_from(["5", "True", "None", "[]", '"a"', "1.5", "dontcare"]),
)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4).filter(str.strip)
VALUES = st.recursive(
    LITERALS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=3), min_size=1, max_size=4))
def test_calls_are_put_together_again_exactly(calls: list[dict[str, Any]]) -> None:
    lines = [json.dumps({"utterance": "x", "skill": "f", "arguments": arguments}) for arguments in calls]
    reading = read_examples(SOURCE, "a.jsonl", "\n".join(lines).encode())
    [skill] = infer_skills(reading.records)
    records = fit_values(reading, [skill]).records
    read = [
        build_arguments([(label.slot, label.value) for label in record.arguments], skill)
        for record in records
    ]
    assert [json.dumps(arguments) for arguments in read] == [json.dumps(arguments) for arguments in calls]


def test_lists_and_objects_are_inferred_from_the_examples() -> None:
    lines = (
        '{"utterance": "a", "skill": "f", "arguments": {"dishes": [{"name": "soup", "count": 2}], "n": 1}}',
        '{"utterance": "b", "skill": "f", "arguments": {"dishes": [], "n": "many"}}',
    )
    [skill] = infer_skills(read_examples(SOURCE, "a.jsonl", "\n".join(lines).encode()).records)
    properties = {"name": {"type": "string"}, "count": {"type": "integer"}}
    items = {"type": "object", "properties": properties}
    assert build_tool_definition(skill)["function"]["parameters"]["properties"] == {
        "dishes": {"type": "array", "items": items, "description": ""},
        "n": {"type": ["integer", "string"], "description": ""},
    }


@pytest.mark.parametrize(("data", "message"), [(b"", "empty_file"), (b'{"a": "\xff"}', "byte 7: not_utf8")])
def test_a_file_that_cannot_be_read_is_reported_with_its_byte(data: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse_jsonl_file(SOURCE, "a.jsonl", data)


def test_a_parameter_that_two_things_fill_is_an_error() -> None:
    tools = (
        '[{"function": {"name": "math", "parameters": {"properties": {'
        '"day": {"x-recognizer": "date", "x-filled-by": "composed"}, "time": {"x-recognizer": "time", "x-filled-by": "time"}}}}}]'
    )
    with pytest.raises(UserError) as error:
        parse_tools("tools.json", tools.encode())
    assert str(error.value) == (
        "tools.json: bad_tools: not a list of tool definitions: 'day' of 'math' with the recognizer 'date' and x-filled-by "
        "'composed'; remove one of the two: a recognizer fills a parameter, or a span, or the model"
    )
