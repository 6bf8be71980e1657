from __future__ import annotations

import pytest

from exemplars.core.errors import UserError
from exemplars.core.records import LabelledArgument, Mode, Reason, Speaker, Turn
from exemplars.dataset.catalog import Parameter, Skill
from stages.ingest.jsonl import infer_skills, parse_jsonl_file, parse_tools
from stages.ingest.reading import Reading, SourceInfo

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


def test_without_a_skill_the_mode_is_none() -> None:
    [record] = parse('{"utterance": "um"}').records
    assert (record.skill, record.mode) == (None, Mode.NONE)


def test_context_group_split_and_license_are_kept() -> None:
    [record] = parse(
        '{"utterance": "yes", "skill": "call", "mode": "extended", "context": [{"speaker": "system", "utterance": "Call?"}], "group": "d1", "split": "test", "license": "CC0-1.0", "service": "S_1"}'
    ).records
    assert record.context == (Turn(Speaker.SYSTEM, "Call?"),)
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
        ('{"utterance": "x", "mode": "loud"}', "invalid enum value 'loud' - at `$.mode`"),
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
        (b"[{}]", "no key 'function'"),
        (b"{", "byte 1|truncated|expected `array`"),
        (b'{"a": 1}', "expected `array`"),
    ):
        with pytest.raises(UserError, match="(?i)" + message):
            parse_tools("tools.json", data)


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
        ),
    )


@pytest.mark.parametrize(("data", "message"), [(b"", "empty_file"), (b'{"a": "\xff"}', "byte 7: not_utf8")])
def test_a_file_that_cannot_be_read_is_reported_with_its_byte(data: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse_jsonl_file(SOURCE, "a.jsonl", data)
