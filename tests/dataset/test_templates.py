from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.dataset.templates import SlotSpan, TemplateError, fill_spans, list_slots, write_template


def test_spans_are_replaced_by_their_slots() -> None:
    spans = [SlotSpan("day", 23, 29), SlotSpan("location", 11, 19)]
    assert write_template("weather in New York on Monday", spans) == "weather in <location> on <day>"


def test_a_template_leads_back_to_its_spans() -> None:
    assert fill_spans("in <a> on <b>", "in New York on Monday", {"a", "b"}) == (
        SlotSpan("a", 3, 11),
        SlotSpan("b", 15, 21),
    )


def test_text_in_angle_brackets_that_is_no_slot_stays_text() -> None:
    assert fill_spans("<b> tag <x>", "<b> tag 5", {"x"}) == (SlotSpan("x", 8, 9),)
    assert list_slots("<b> tag < x >") == ("b", "x")


@pytest.mark.parametrize(
    ("template", "utterance", "message"),
    [
        ("a <x> a <y>", "a b a c a d", "more than one way"),
        ("<x><y>", "abc", "more than one way"),
        ("hi <x>", "hi ", "does not occur in the utterance"),
        ("to <x>", "from a", "differ from code point 0 on"),
        ("no slots", "other", "differ from code point 0 on"),
        ("<x> b <y>", "a c d", "does not occur in the utterance"),
    ],
)
def test_a_template_that_fits_in_no_way_or_in_several_is_refused(
    template: str, utterance: str, message: str
) -> None:
    with pytest.raises(TemplateError, match=message):
        fill_spans(template, utterance, {"x", "y"})


@pytest.mark.parametrize(
    ("values", "spans"),
    [
        ({"x": "06:45", "y": "tomorrow morning"}, (SlotSpan("x", 0, 4), SlotSpan("y", 5, 21))),
        ({"x": "6:45", "y": "the day after"}, (SlotSpan("x", 0, 4), SlotSpan("y", 5, 21))),
        ({"x": "6:45 tomorrow", "y": "morning"}, (SlotSpan("x", 0, 13), SlotSpan("y", 14, 21))),
    ],
)
def test_values_that_are_said_decide_where_the_texts_between_slots_fit_in_several_ways(
    values: dict[str, str], spans: tuple[SlotSpan, ...]
) -> None:
    assert fill_spans("<x> <y>, please", "6:45 tomorrow morning, please", values, values) == spans


@pytest.mark.parametrize(
    "values",
    [{"x": "06:45", "y": "in the morning"}, {"x": "tomorrow", "y": "morning"}, {"x": "6", "y": "tomorrow"}],
)
def test_values_that_are_not_said_there_decide_nothing(values: dict[str, str]) -> None:
    with pytest.raises(TemplateError, match="more than one way"):
        fill_spans("<x> <y>, please", "6:45 tomorrow morning, please", values, values)


@given(
    st.lists(st.tuples(st.text("ab c😀", max_size=5), st.text("xyz", min_size=1, max_size=4)), max_size=4),
    st.text("ab c", max_size=3),
)
def test_filling_is_the_inverse_of_writing_if_there_is_only_one_way(
    parts: list[tuple[str, str]], tail: str
) -> None:
    utterance, spans = "", []
    for number, (before, value) in enumerate(parts):
        utterance += before
        spans.append(SlotSpan(f"s{number}", len(utterance), len(utterance) + len(value)))
        utterance += value
    utterance += tail
    template = write_template(utterance, spans)
    try:
        found = fill_spans(template, utterance, {span.slot for span in spans})
    except TemplateError as error:
        assert "more than one way" in str(error)
    else:
        assert found == tuple(spans)


def test_a_megabyte_is_filled_in_linear_time() -> None:
    utterance = "a " * 500_000 + "end"
    assert fill_spans("a <x> end", utterance, {"x"}) == (SlotSpan("x", 2, 999_999),)
