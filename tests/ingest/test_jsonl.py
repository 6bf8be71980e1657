from __future__ import annotations

import pytest

from exemplars.core.errors import UserError
from exemplars.core.records import LabelledArgument, Mode, Reason, Speaker, Turn
from exemplars.dataset.catalog import Parameter, Skill
from stages.ingest.jsonl import infer_skills, parse_jsonl_file, parse_tools
from stages.ingest.reading import Reading, SourceFacts

FACTS = SourceFacts("mine", "MIT")


def parsed(*lines: str) -> Reading:
    return parse_jsonl_file(FACTS, "a.jsonl", "\n".join(lines).encode())


def test_a_line_becomes_a_record() -> None:
    [one] = parsed(
        '{"utterance": "call Maria at home", "skill": "call", "arguments": {"who": "Maria", "loud": true, "n": 5}}'
    ).records
    assert (one.id, one.skill, one.mode, one.license) == ("mine:a.jsonl#1", "call", Mode.NORMAL, "MIT")
    assert one.arguments == (
        LabelledArgument("who", "Maria"),
        LabelledArgument("loud", "True"),
        LabelledArgument("n", "5"),
    )


def test_spans_come_from_the_arguments_the_map_or_the_template() -> None:
    reading = parsed(
        '{"utterance": "call Maria", "skill": "call", "arguments": [{"slot": "who", "value": "M", "surface": "Maria", "start": 5, "end": 10}]}',
        '{"utterance": "call Maria", "skill": "call", "arguments": {"who": "Maria"}, "spans": {"who": [5, 10]}}',
        '{"utterance": "call Maria", "skill": "call", "arguments": {"who": "Maria"}, "exemplar": "call <who>"}',
    )
    assert [one.arguments[0] for one in reading.records] == [
        LabelledArgument("who", "M", ("Maria",), 5, 10),
        LabelledArgument("who", "Maria", (), 5, 10),
        LabelledArgument("who", "Maria", ("Maria",), 5, 10),
    ]


def test_without_a_skill_the_mode_is_none() -> None:
    [one] = parsed('{"utterance": "um"}').records
    assert (one.skill, one.mode) == (None, Mode.NONE)


def test_context_group_split_and_licence_are_taken_over() -> None:
    [one] = parsed(
        '{"utterance": "yes", "skill": "call", "mode": "extended", "context": [{"speaker": "system", "utterance": "Call?"}], "group": "d1", "split": "test", "license": "CC0-1.0", "service": "S_1"}'
    ).records
    assert one.context == (Turn(Speaker.SYSTEM, "Call?"),)
    assert (one.group, one.split, one.license, one.service) == ("mine:d1", "test", "CC0-1.0", "S_1")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"utterance": "x", "skil": "call"}', "a.jsonl:2: malformed_record: found Object contains unknown field `skil`"),
        ('{"skill": "call"}', "missing required field `utterance`"),
        ('{"utterance": 5}', "Expected `str`, got `int` - at `$.utterance`"),
        ('{"utterance": "x"', "a.jsonl:2:18: malformed_record: found Input data was truncated"),
        ('{"utterance": "x", "mode": "loud"}', "Invalid enum value 'loud' - at `$.mode`"),
        ("nonsense", "a.jsonl:2:5: malformed_record: found JSON is malformed"),
    ],
)  # fmt: skip
def test_a_line_that_does_not_fit_is_rejected_and_the_others_are_read(line: str, message: str) -> None:
    reading = parsed('{"utterance": "ok"}', line, "", '{"utterance": "fine"}')
    assert [one.id for one in reading.records] == ["mine:a.jsonl#1", "mine:a.jsonl#4"]
    [one] = reading.rejections
    assert (one.id, one.reason) == ("mine:a.jsonl#2", Reason.MALFORMED_RECORD)
    assert message in one.message


def test_a_misspelt_key_is_guessed() -> None:
    assert "did you mean 'skill'?" in parsed('{"utterance": "x", "skil": "call"}').rejections[0].message


def test_a_template_that_does_not_fit_is_rejected() -> None:
    [one] = parsed(
        '{"utterance": "call Maria", "skill": "call", "arguments": {"who": "Maria"}, "exemplar": "ring <who>"}'
    ).rejections
    assert one.reason is Reason.EXEMPLAR_MISMATCH


def test_tools_are_read_and_broken_ones_are_told() -> None:
    assert parse_tools("tools.json", b'[{"type": "function", "function": {"name": "call"}}]') == (
        Skill("call"),
    )
    for data, message in (
        (b"[{}]", "no key 'function'"),
        (b"{", "byte 1|truncated|expected `array`"),
        (b'{"a": 1}', "expected `array`"),
    ):
        with pytest.raises(UserError, match="(?i)" + message):
            parse_tools("tools.json", data)


def test_without_tools_the_catalog_is_what_the_examples_call() -> None:
    reading = parsed(
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
        ),
    )


@pytest.mark.parametrize(("data", "message"), [(b"", "empty_file"), (b'{"a": "\xff"}', "byte 7: not_utf8")])
def test_a_file_that_cannot_be_read_is_told_with_its_byte(data: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse_jsonl_file(FACTS, "a.jsonl", data)
