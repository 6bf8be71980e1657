from __future__ import annotations

import pytest

from exemplars.core.records import (
    Argument,
    Exemplar,
    Grounding,
    LabelledArgument,
    Mode,
    Origin,
    Reason,
    Record,
    Rejection,
)
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.recognizers import Instance, Recognizer, Recognizers
from stages.compile.exemplars import compile_record
from stages.compile.lexicon import Lexicon

SKILL = Skill(
    "go",
    parameters=(
        Parameter("to"),
        Parameter("time"),
        Parameter("clock", recognizer="time"),
        Parameter("seats", type="integer"),
        Parameter("town", recognizer="town"),
    ),
)
LEXICON = Lexicon(Recognizers({"town": Recognizer((Instance("Saint Petersburg", ("Piter",)),))}))


def compile_with_span(utterance: str, slot: str, value: str, surface: str) -> Exemplar | Rejection:
    start = utterance.index(surface)
    label = LabelledArgument(slot, value, (), start, start + len(surface))
    record = Record(
        id="t:a.jsonl#1", turn="t:a.jsonl#1", source="t", utterance=utterance, mode=Mode.NORMAL, skill="go", service=None,
        arguments=(label,), context=(), group="g", license="MIT", origin=Origin("a.jsonl", "0", "1"), today="2024-02-28",
    )  # fmt: skip
    return compile_record(record, {"go": SKILL}, LEXICON)


@pytest.mark.parametrize(
    ("utterance", "slot", "value", "surface", "grounding"),
    [
        ("leave at quarter past 8", "time", "08:15", "quarter past 8", Grounding.NORMALIZED),
        ("leave at 5", "time", "17:00", "5", Grounding.NORMALIZED),
        ("leave at 5", "time", "05:00", "5", Grounding.NORMALIZED),
        ("leave at 5 pm", "clock", "17:00", "5 pm", Grounding.RECOGNIZED),
        ("leave tomorrow", "time", "2024-02-29", "tomorrow", Grounding.NORMALIZED),
        ("three seats", "seats", "3", "three", Grounding.NORMALIZED),
        ("fly to London-Luton", "to", "London–Luton", "London-Luton", Grounding.NORMALIZED),
        ("go to the old theatre", "to", "The Old Theater", "the old theatre", Grounding.NORMALIZED),
        ("go to Piter", "town", "Saint Petersburg", "Piter", Grounding.RECOGNIZED),
        ("go to OSLO", "to", "Oslo", "OSLO", Grounding.CASE),
    ],
)
def test_a_given_span_that_the_cascade_confirms_is_accepted(
    utterance: str, slot: str, value: str, surface: str, grounding: Grounding
) -> None:
    row = compile_with_span(utterance, slot, value, surface)
    assert isinstance(row, Exemplar), row
    start = utterance.index(surface)
    assert row.arguments == (Argument(slot, value, surface, start, start + len(surface), grounding),)


def test_a_given_span_that_no_tier_confirms_is_rejected_with_the_ways_to_settle_it() -> None:
    row = compile_with_span("go to Frisco", "to", "San Francisco", "Frisco")
    assert isinstance(row, Rejection)
    assert row.reason is Reason.SPAN_MISMATCH
    assert row.message == (
        "a.jsonl:1: found span 6:12 on the text 'Frisco' for slot 'to', expected 'San Francisco'; correct the span; "
        "or, if the text means the value, say so: with a `surface` for the value, with an `exemplar`, or with an "
        "expression of the parameter's recognizer"
    )


@pytest.mark.parametrize(
    ("utterance", "slot", "value", "surface"),
    [
        ("three seats", "seats", "2", "three"),
        ("go to the old theatre tonight", "to", "The Old Theater", "old theatre tonight"),
        ("leave at 5", "time", "18:00", "5"),
        ("learn C#", "to", "C++", "C#"),
    ],
)
def test_a_span_on_another_value_is_rejected(utterance: str, slot: str, value: str, surface: str) -> None:
    row = compile_with_span(utterance, slot, value, surface)
    assert isinstance(row, Rejection)
    assert row.reason is Reason.SPAN_MISMATCH
