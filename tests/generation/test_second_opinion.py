from __future__ import annotations

import pytest

from exemplars.answering.answers import Answer, AnsweredCall
from exemplars.core.records import Argument, Exemplar, Grounding, Mode, Origin, Speaker
from exemplars.generation.second_opinion import contradicts

MARIA = Argument("contact", "Maria", "Maria", 5, 10, Grounding.VERBATIM)
HOME = Argument("device", "home", None, None, None, Grounding.CATEGORICAL)
ROW = Exemplar(
    id="g:m.jsonl#1/answer/examples/0", digest="0", source="g", turn="t", call=0, service=None, skill="call", mode=Mode.NORMAL,
    speaker=Speaker.USER, utterance="call Maria", exemplar="call <contact>", arguments=(MARIA,), reply=None, context=(),
    group="g", license="MIT", origin=Origin("m.jsonl", "0", "1/answer/examples/0"),
)  # fmt: skip


def answer(skill: str, *spans: Argument, problem: str | None = None) -> Answer:
    return Answer("tagger", (AnsweredCall(skill, {}, spans),), 0.9, problem)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (answer("call", MARIA), False),
        (answer("call", Argument("contact", "maria", "Maria", 5, 10, Grounding.CASE)), False),
        (answer("text", MARIA), True),
        (answer("call", Argument("contact", "call Maria", "call Maria", 0, 10, Grounding.VERBATIM)), True),
        (answer("call", MARIA, HOME), True),
        (answer("call"), True),
        (Answer("tagger", (), 0.9), True),
        (answer("text", MARIA, problem="its confidence of 0.20 is below its threshold of 0.40"), False),
    ],
)
def test_only_a_sure_answer_contradicts(said: Answer, expected: bool) -> None:
    assert contradicts(ROW, said) is expected
