"""Several lines, or one, that are the calls of a turn."""

from __future__ import annotations

import pytest

from exemplars.core.records import LabelledArgument, Reason, Record
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from stages.ingest.jsonl import parse_jsonl_file, reject_incomplete
from stages.ingest.reading import Reading, SourceInfo

SOURCE = SourceInfo("mine", "MIT")


def parse(*lines: str) -> Reading:
    return parse_jsonl_file(SOURCE, "a.jsonl", "\n".join(lines).encode())


def line(members: str, utterance: str = "call mum and dad") -> str:
    return f'{{"utterance": "{utterance}", {members}}}'


def describe(record: Record) -> tuple[str, str, int, str | None, str | None]:
    return record.id, record.turn, record.call, record.skill, record.reply


def test_lines_with_one_turn_are_its_calls_in_order_and_share_the_reply() -> None:
    reading = parse(
        line('"skill": "call", "turn": "t1", "reply": "Calling."'),
        line('"skill": "text"'),
        line('"skill": "ring", "turn": "t1"'),
    )
    assert reading.rejections == ()
    assert list(map(describe, reading.records)) == [
        ("mine:a.jsonl#1", "mine:a.jsonl#turn/t1", 0, "call", "Calling."),
        ("mine:a.jsonl#2", "mine:a.jsonl#2", 0, "text", None),
        ("mine:a.jsonl#3", "mine:a.jsonl#turn/t1", 1, "ring", "Calling."),
    ]


def test_a_line_gives_the_position_of_its_call() -> None:
    reading = parse(
        line('"skill": "call", "turn": "t1", "call": 1'), line('"skill": "ring", "turn": "t1", "call": 0')
    )
    assert [(record.skill, record.call) for record in reading.records] == [("call", 1), ("ring", 0)]


def test_a_line_may_be_a_whole_turn() -> None:
    reading = parse(
        line(
            '"reply": "Calling.", "calls": [{"skill": "call", "arguments": {"who": "mum"}, "spans": {"who": [5, 8]}}, '
            '{"skill": "call", "arguments": {"who": "dad"}, "exemplar": "call mum and <who>"}]'
        )
    )
    assert list(map(describe, reading.records)) == [
        ("mine:a.jsonl#1/calls/0", "mine:a.jsonl#1", 0, "call", "Calling."),
        ("mine:a.jsonl#1/calls/1", "mine:a.jsonl#1", 1, "call", "Calling."),
    ]
    assert [record.arguments for record in reading.records] == [
        (LabelledArgument("who", "mum", (), 5, 8),),
        (LabelledArgument("who", "dad", ("dad",), 13, 16),),
    ]


LOST = (
    "mine:a.jsonl#{}, a call of the same turn, is rejected, and without it the turn would ask for too little"
)


@pytest.mark.parametrize(
    ("lines", "messages"),
    [
        (
            [line('"skill": "a", "turn": "t"'), line('"skill": "b", "turn": "t"', "call dad")],
            [
                "a.jsonl:1: " + LOST.format(2) + "; correct that call",
                "a.jsonl:2: found another utterance and group than mine:a.jsonl#1, in the same turn mine:a.jsonl#turn/t, "
                "expected the same in all calls of a turn; correct it, or give the line a turn of its own",
            ],
        ),
        (
            [
                line('"skill": "a", "turn": "t", "group": "g"'),
                line('"skill": "b", "turn": "t", "group": "h"'),
            ],
            [
                "a.jsonl:1: " + LOST.format(2) + "; correct that call",
                "a.jsonl:2: found another group than mine:a.jsonl#1, in the same turn mine:a.jsonl#turn/t, expected the "
                "same in all calls of a turn; correct it, or give the line a turn of its own",
            ],
        ),
        (
            [line('"skill": "a", "turn": "t"'), line('"turn": "t"')],
            [
                "a.jsonl:1: " + LOST.format(2) + "; correct that call",
                "a.jsonl:2: found mode 'none' in turn mine:a.jsonl#turn/t, which has 2 lines, expected a call in each line "
                "of a turn with several; remove the line, or name its skill",
            ],
        ),
        (
            [
                line('"skill": "a", "turn": "t", "reply": "x"'),
                line('"skill": "b", "turn": "t", "reply": "y"'),
            ],
            [
                "a.jsonl:1: " + LOST.format(2) + "; correct that call",
                "a.jsonl:2: found several replies in turn mine:a.jsonl#turn/t, expected one reply for the whole turn; keep "
                "one of them",
            ],
        ),
        (
            [line('"skill": "a", "turn": "t", "call": 1'), line('"skill": "b", "turn": "t", "call": 1')],
            [
                "a.jsonl:1: found the positions 1, 1 of 2 calls in turn mine:a.jsonl#turn/t, expected each from 0 to 1 once; "
                "correct `call` in the lines, or leave it out",
                "a.jsonl:2: " + LOST.format(1) + "; correct that call",
            ],
        ),
        (
            [line('"skill": "a", "turn": "t"'), line('"skill": " ", "turn": "t"')],
            [
                "a.jsonl:1: " + LOST.format(2) + "; correct that call",
                "a.jsonl:2: found an empty skill, expected the name of a skill, or null; name the skill",
            ],
        ),
        (
            [line('"skill": "a", "calls": [{"skill": "b"}]')],
            [
                "a.jsonl:1#/calls/0: found `calls` and skill in one line, expected either; move them into `calls`, or write "
                "one line for each call"
            ],
        ),
        (
            [line('"calls": [{"skill": "b"}, {"skill": "c", "arguments": {"": 1}}]')],
            [
                "a.jsonl:1#/calls/0: " + LOST.format("1/calls/1") + "; correct that call",
                "a.jsonl:1#/calls/1: found an argument with an empty slot, expected the name of a slot; name the slot",
            ],
        ),
    ],
)
def test_a_turn_that_contradicts_itself_is_rejected_with_all_of_its_calls(
    lines: list[str], messages: list[str]
) -> None:
    reading = parse(*lines)
    assert reading.records == ()
    assert [rejection.message for rejection in reading.rejections] == messages


def test_a_misspelled_key_of_a_call_gets_a_suggestion_of_its_own() -> None:
    [rejection] = parse(line('"calls": [{"skill": "a", "argumnts": {}}]')).rejections
    assert rejection.message.endswith("; did you mean 'arguments'?")


def test_a_call_without_what_its_skill_requires_takes_its_turn_along() -> None:
    reading = parse(line('"calls": [{"skill": "call"}, {"skill": "ring"}]'))
    checked = reject_incomplete(reading, [Skill("call", parameters=(Parameter("who", required=True),))])
    assert checked.records == ()
    assert {rejection.id: rejection.reason for rejection in checked.rejections} == {
        "mine:a.jsonl#1/calls/0": Reason.MISSING_ARGUMENT,
        "mine:a.jsonl#1/calls/1": Reason.INCOMPLETE_TURN,
    }
