from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    Speaker,
    Turn,
)
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.recognizers import Instance, Recognizer, Recognizers
from exemplars.dataset.templates import fill_spans
from stages.compile.exemplars import compile_record
from stages.compile.lexicon import Lexicon

TRIP = Skill(
    "trip",
    parameters=(
        Parameter("source"),
        Parameter("target"),
        Parameter("seats", type="integer"),
        Parameter("klass", enum=("first", "second")),
        Parameter("refund", type="boolean"),
        Parameter("city", recognizer="city"),
        Parameter("when", recognizer="time"),
    ),
)
LEXICON = Lexicon(
    Recognizers({"city": Recognizer((Instance("New York", ("NYC", "Big Apple")), Instance("Rome", ())))})
)


def record(utterance: str, *labels: LabelledArgument, context: tuple[str, ...] = (), **others: Any) -> Record:
    fields: dict[str, Any] = {
        "id": "t:a.md#3",
        "turn": "t:a.md#3",
        "source": "t",
        "utterance": utterance,
        "mode": Mode.NORMAL,
        "skill": "trip",
        "service": None,
        "arguments": labels,
        "context": tuple(Turn(Speaker.ASSISTANT, utterance) for utterance in context),
        "group": "g",
        "license": "MIT",
        "origin": Origin("a.md", "0", "3"),
        **others,
    }
    return Record(**fields)


WHEN = Skill("when", parameters=(Parameter("time", recognizer="time"), Parameter("date", recognizer="date")))


@pytest.mark.parametrize(
    ("slot", "value", "is_kept"),
    [
        ("time", "25:00", False),
        ("time", "9:75", False),
        ("time", "24:00", True),
        ("date", "2026-02-30", False),
        ("date", "2026-02-28", True),
    ],
)
def test_a_time_or_a_date_that_does_not_exist_is_invalid(slot: str, value: str, is_kept: bool) -> None:
    row = compile_record(
        record(f"at {value}", LabelledArgument(slot, value), skill="when"), {"when": WHEN}, LEXICON
    )
    if is_kept:
        assert isinstance(row, Exemplar)
    else:
        assert isinstance(row, Rejection)
        assert (row.reason, row.message) == (
            Reason.INVALID_VALUE,
            f"a.md:3: found '{value}' for slot '{slot}', expected a {slot} that exists; correct the value",
        )


def compile_exemplar(utterance: str, *labels: LabelledArgument, **others: Any) -> Exemplar:
    row = compile_record(record(utterance, *labels, **others), {"trip": TRIP}, LEXICON)
    assert isinstance(row, Exemplar), row
    return row


def reject(utterance: str, *labels: LabelledArgument, **others: Any) -> Rejection:
    row = compile_record(record(utterance, *labels, **others), {"trip": TRIP}, LEXICON)
    assert isinstance(row, Rejection), row
    return row


def label(
    slot: str, value: str, *span: int, spoken: tuple[str, ...] = (), context: bool = False
) -> LabelledArgument:
    start, end = span or (None, None)
    return LabelledArgument(slot, value, spoken, start, end, context)


def test_aligned_values_are_replaced_by_their_slots() -> None:
    exemplar = compile_exemplar("from Rome to Oslo", label("source", "Rome"), label("target", "Oslo"))
    assert exemplar.exemplar == "from <source> to <target>"
    assert exemplar.arguments == (
        Argument("source", "Rome", "Rome", 5, 9, Grounding.VERBATIM),
        Argument("target", "Oslo", "Oslo", 13, 17, Grounding.VERBATIM),
    )


@pytest.mark.parametrize(
    ("utterance", "labeled", "expected"),
    [
        ("to ROME", label("target", "Rome"), ("ROME", Grounding.CASE)),
        ("two seats", label("seats", "2"), ("two", Grounding.NORMALIZED)),
        ("at half past 7 pm", label("when", "19:30"), ("half past 7 pm", Grounding.RECOGNIZED)),
        ("to the Big Apple", label("city", "New York"), ("Big Apple", Grounding.RECOGNIZED)),
        ("the best seats", label("klass", "first"), (None, Grounding.CATEGORICAL)),
        ("second class", label("klass", "second"), ("second", Grounding.VERBATIM)),
        ("money back please", label("refund", "True"), (None, Grounding.BOOLEAN)),
        ("anywhere", label("target", "dontcare"), (None, Grounding.DONTCARE)),
    ],
)
def test_a_value_is_grounded_in_each_way(
    utterance: str, labeled: LabelledArgument, expected: tuple[str | None, Grounding]
) -> None:
    [argument] = compile_exemplar(utterance, labeled).arguments
    assert (argument.surface, argument.grounding) == expected


def test_a_value_said_earlier_is_grounded_in_the_context() -> None:
    [argument] = compile_exemplar("yes", label("target", "Oslo"), context=("To Oslo?",)).arguments
    assert argument == Argument("target", "Oslo", None, None, None, Grounding.CONTEXT)


def test_a_value_accepted_from_an_offer_is_not_searched_in_the_utterance() -> None:
    exemplar = compile_exemplar("Oslo? yes", label("target", "Oslo", context=True), context=("To Oslo?",))
    assert exemplar.arguments[0].grounding is Grounding.CONTEXT
    assert exemplar.exemplar == "Oslo? yes"


def test_a_value_that_occurs_nowhere_is_rejected() -> None:
    rejection = reject("to Rome", label("target", "Oslo"), context=("hello",))
    assert rejection.reason is Reason.VALUE_NOT_FOUND
    assert rejection.message == (
        "a.md:3: 'Oslo' of slot 'target' occurs neither in the utterance nor in the turns before it; "
        "correct the value, say it in the text, or declare the parameter `composed` if the model writes it"
    )


def test_a_value_that_occurs_twice_is_ambiguous_and_never_the_first_match() -> None:
    rejection = reject("Rome, yes to Rome", label("target", "Rome"))
    assert rejection.reason is Reason.VALUE_AMBIGUOUS
    assert rejection.message == (
        "a.md:3: 'Rome' of slot 'target' occurs 2 times (0:4, 13:17); "
        "add an exemplar line, or a span, that says which one is meant"
    )


def test_a_span_determines_which_mention_is_meant() -> None:
    exemplar = compile_exemplar("Rome, yes to Rome", label("target", "Rome", 13, 17))
    assert exemplar.exemplar == "Rome, yes to <target>"


def test_a_mention_that_another_argument_claims_leaves_the_other_mention() -> None:
    exemplar = compile_exemplar("Rome to Rome", label("source", "Rome", 0, 4), label("target", "Rome"))
    assert exemplar.exemplar == "<source> to <target>"


def test_one_value_for_two_slots_that_occurs_once_overlaps() -> None:
    rejection = reject("Rome", label("source", "Rome"), label("target", "Rome"))
    assert rejection.reason is Reason.OVERLAPPING_SPANS
    assert rejection.message == (
        "a.md:3: the value of slot 'target' is at 0:4 ('Rome'), and slot 'source' at 0:4 ('Rome'); "
        "give spans or an exemplar line, or merge the slots"
    )


def test_one_value_for_two_slots_that_occurs_twice_is_ambiguous() -> None:
    rejection = reject("Rome to Rome", label("source", "Rome"), label("target", "Rome"))
    assert rejection.reason is Reason.VALUE_AMBIGUOUS
    assert rejection.message.count("2 times (0:4, 8:12)") == 2


def test_two_slots_on_one_given_span_overlap() -> None:
    rejection = reject("Rome", label("source", "Rome", 0, 4), label("target", "Rome", 0, 4))
    assert (rejection.reason, rejection.slot) == (Reason.OVERLAPPING_SPANS, "target")


def test_spans_that_share_a_part_overlap() -> None:
    rejection = reject(
        "New York City", label("source", "New York", 0, 8), label("target", "York City", 4, 13)
    )
    assert rejection.reason is Reason.OVERLAPPING_SPANS


def test_the_same_slot_filled_twice_is_rejected() -> None:
    rejection = reject("Rome Oslo", label("target", "Rome"), label("target", "Oslo"))
    assert (rejection.reason, rejection.slot) == (Reason.DUPLICATE_SLOT, "target")


@pytest.mark.parametrize(
    ("span", "message"),
    [
        ((0, 99), "span 0:99 in an utterance of 7 code points"),
        ((5, 2), "span 5:2 in an utterance of 7 code points"),
        ((-4, 4), "span -4:4"),
        ((3, 3), "span 3:3"),
        ((0, 4), "span 0:4 on the text 'to R' for slot 'target', expected 'Rome'"),
    ],
)
def test_a_span_out_of_range_reversed_or_on_another_text_is_rejected(
    span: tuple[int, int], message: str
) -> None:
    rejection = reject("to Rome", label("target", "Rome", *span))
    assert rejection.reason is Reason.SPAN_MISMATCH
    assert message in rejection.message


def test_offsets_are_code_points_beyond_emoji_marks_and_right_to_left_text() -> None:
    text = "👩‍👩‍👧 e\u0301 שלום to Rome"
    [argument] = compile_exemplar(text, label("target", "Rome")).arguments
    assert text[argument.start : argument.end] == "Rome"
    assert argument.start == text.index("Rome")


@pytest.mark.parametrize(
    ("labeled", "skill", "reason"),
    [
        (label("target", "Rome"), "fly", Reason.UNKNOWN_SKILL),
        (label("mast", "Rome"), "trip", Reason.UNKNOWN_SLOT),
        (label("klass", "third"), "trip", Reason.INVALID_VALUE),
        (label("seats", "many"), "trip", Reason.INVALID_VALUE),
        (label("refund", "maybe"), "trip", Reason.INVALID_VALUE),
        (label("target", ""), "trip", Reason.INVALID_VALUE),
    ],
)
def test_a_label_that_the_catalog_does_not_accept_is_rejected(
    labeled: LabelledArgument, skill: str, reason: Reason
) -> None:
    assert reject("to Rome", labeled, skill=skill).reason is reason


def test_everything_that_is_wrong_is_in_one_message() -> None:
    rejection = reject("x", label("mast", "1"), label("klass", "third"), label("seats", "many"))
    assert rejection.message.count("; ") >= 3
    assert all(part in rejection.message for part in ("'mast'", "'third'", "'many'"))


def test_a_given_exemplar_that_disagrees_is_rejected() -> None:
    rejection = reject("to Rome", label("target", "Rome", 3, 7), exemplar="to <source>")
    assert rejection.reason is Reason.EXEMPLAR_MISMATCH
    assert "found the exemplar 'to <source>', expected 'to <target>'" in rejection.message


def test_a_value_without_a_slot_in_the_given_exemplar_is_not_searched() -> None:
    exemplar = compile_exemplar(
        "first to Rome", label("klass", "first"), label("target", "Rome", 9, 13), exemplar="first to <target>"
    )
    assert [argument.grounding for argument in exemplar.arguments] == [
        Grounding.CATEGORICAL,
        Grounding.VERBATIM,
    ]


def test_ten_thousand_arguments_are_aligned() -> None:
    count = 10_000
    wide = Skill("wide", parameters=tuple(Parameter(f"p{n}") for n in range(count)))
    text = " ".join(f"value{n}" for n in range(200))
    labels = tuple(label(f"p{n}", f"value{n}") for n in range(200))
    row = compile_record(record(text, *labels, skill="wide"), {"wide": wide}, LEXICON)
    assert isinstance(row, Exemplar)
    assert len(row.arguments) == 200
    too_many = tuple(label(f"p{n}", "x") for n in range(count))
    row = compile_record(record("x", *too_many, skill="wide"), {"wide": wide}, LEXICON)
    assert isinstance(row, Rejection)
    assert row.reason is Reason.OVERLAPPING_SPANS


def test_a_megabyte_of_text_is_searched() -> None:
    text = "word " * 200_000 + "to Rome"
    [argument] = compile_exemplar(text, label("target", "Rome")).arguments
    assert (argument.start, argument.end) == (1_000_003, 1_000_007)


WORDS = st.sampled_from(["to", "from", "please", "é", "😀", "a ticket", "שלום"])


@given(
    before=st.lists(WORDS, max_size=4),
    after=st.lists(WORDS, max_size=4),
    value=st.sampled_from(["Rome", "New York", "Zürich"]),
)
def test_spans_and_templates_lead_back_to_the_text(before: list[str], after: list[str], value: str) -> None:
    text = " ".join([*before, value, *after])
    exemplar = compile_exemplar(text, label("target", value))
    [argument] = exemplar.arguments
    assert exemplar.utterance[argument.start : argument.end] == argument.surface == value
    [span] = fill_spans(exemplar.exemplar, exemplar.utterance, {"target"})
    assert (span.start, span.end) == (argument.start, argument.end)
