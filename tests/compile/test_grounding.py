from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.records import Grounding, LabelledArgument
from exemplars.dataset.expressions.verbatim import is_on_boundaries
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.recognizers import Instance, Recognizer, Recognizers
from stages.compile.grounding import Match, find_matches
from stages.compile.lexicon import Lexicon

TODAY = datetime.date(2019, 3, 1)
CITIES = Recognizer((Instance("San Francisco", ("San Fran", "SF", "San Francisco, CA")),))
LEXICON = Lexicon(Recognizers({"city": CITIES}))


def ground(
    value: str,
    text: str,
    *spoken: str,
    recognizer: str | None = None,
    type_: str = "string",
    today: datetime.date | None = TODAY,
) -> list[tuple[str, Grounding]]:
    label = LabelledArgument("x", value, spoken)
    matches = find_matches(label, text, Parameter("x", type=type_, recognizer=recognizer), LEXICON, today)
    return [(text[match.start : match.end], match.grounding) for match in matches]


@pytest.mark.parametrize(
    ("value", "text", "expected"),
    [
        ("Rome", "to Rome", [("Rome", Grounding.VERBATIM)]),
        ("Rome", "Rome to Rome", [("Rome", Grounding.VERBATIM), ("Rome", Grounding.VERBATIM)]),
        ("Rome", "to rome", [("rome", Grounding.CASE)]),
        ("art", "a party", []),
        ("2", "12 or 2.5 or 2:30 or 2,000", []),
        ("2", "for 2.", [("2", Grounding.VERBATIM)]),
        ("2", "two please", [("two", Grounding.NORMALIZED)]),
        ("1320", "one thousand three hundred and twenty bucks", [("one thousand three hundred and twenty bucks", Grounding.NORMALIZED)]),
        ("400", "up to $400", [("$400", Grounding.NORMALIZED)]),
        ("2", "2 seats at 2 pm", [("2", Grounding.VERBATIM)]),
        ("15:30", "half past 3 in the afternoon", [("half past 3 in the afternoon", Grounding.NORMALIZED)]),
        ("12:30", "at 12:30 pm", [("12:30 pm", Grounding.NORMALIZED)]),
        ("17:00", "at 5", [("5", Grounding.NORMALIZED)]),
        ("2019-03-06", "Wednesday next week", [("Wednesday next week", Grounding.NORMALIZED)]),
        ("2019-03-05", "on the 5th of March.", [("5th of March", Grounding.NORMALIZED)]),
        ("3rd", "the third one", [("third", Grounding.NORMALIZED)]),
        ("90 minutes", "an hour and a half", [("an hour and a half", Grounding.NORMALIZED)]),
        ("$20", "twenty dollars", [("twenty dollars", Grounding.NORMALIZED)]),
        ("concert", "any concerts", [("concerts", Grounding.NORMALIZED)]),
        ("The Guild Theatre", "guild theater", [("guild theater", Grounding.NORMALIZED)]),
        ("Soup & Salad", "soup and salad", [("soup and salad", Grounding.NORMALIZED)]),
        ("Oslo", "to Rome", []),
        ("", "to Rome", []),
    ],
)  # fmt: skip
def test_a_value_is_found_in_the_first_tier_that_has_it(
    value: str, text: str, expected: list[tuple[str, Grounding]]
) -> None:
    assert ground(value, text) == expected


def test_the_spoken_form_comes_before_the_value() -> None:
    assert ground("San Francisco", "SF, San Francisco", "SF") == [("SF", Grounding.NORMALIZED)]


def test_a_recognizer_knows_other_names() -> None:
    assert ground("San Francisco", "in san fran") == []
    assert ground("San Francisco", "in san fran", recognizer="city") == [("san fran", Grounding.RECOGNIZED)]


def test_a_longer_name_of_the_value_comes_before_a_part_of_it() -> None:
    assert ground("San Francisco", "in San Francisco, CA", recognizer="city") == [
        ("San Francisco, CA", Grounding.RECOGNIZED)
    ]


def test_a_built_in_recognizer_determines_the_kind() -> None:
    assert ground("07:00", "at seven am", recognizer="time") == [("seven am", Grounding.RECOGNIZED)]


def test_a_parameter_that_is_a_number_is_the_number_without_its_currency() -> None:
    assert ground("20", "20 dollars", type_="integer") == [("20", Grounding.VERBATIM)]
    assert ground("20", "20 dollars") == [("20 dollars", Grounding.NORMALIZED)]


def test_relative_dates_need_a_day_to_refer_to() -> None:
    assert ground("2019-03-02", "tomorrow", today=None) == []
    assert ground("2019-03-02", "March 2nd, 2019", today=None) == [("March 2nd, 2019", Grounding.NORMALIZED)]


@pytest.mark.parametrize(
    ("text", "value", "span"),
    [
        ("👩‍👩‍👧 to Rome", "Rome", (9, 13)),
        ("cafe\u0301 Rome", "Rome", (6, 10)),
        ("אני רוצה Rome", "Rome", (9, 13)),
        ("Straße ROME", "rome", (7, 11)),
        ("İstanbul Rome", "rome", (9, 13)),
    ],
)
def test_offsets_are_code_points_of_the_text_as_it_is(text: str, value: str, span: tuple[int, int]) -> None:
    [match] = find_matches(LabelledArgument("x", value), text, Parameter("x"), LEXICON, None)
    assert (match.start, match.end) == span


def test_a_combining_mark_belongs_to_the_letter_before_it() -> None:
    assert ground("cafe", "cafe\u0301 here") == [("cafe\u0301", Grounding.NORMALIZED)]


def test_half_of_a_letter_that_folds_to_two_is_not_a_match() -> None:
    assert ground("stras", "straße") == []
    assert ground("STRASSE", "eine straße") == [("straße", Grounding.CASE)]


TEXT = st.text("ab1 2.é😀$\u0301", max_size=20)


@given(text=TEXT, value=st.text("ab1 2é", min_size=1, max_size=4))
def test_every_match_is_in_the_text_on_boundaries_and_contains_the_value(text: str, value: str) -> None:
    matches = find_matches(
        LabelledArgument("x", value, (value,)), text, Parameter("x"), Lexicon(Recognizers()), None
    )
    assert list(matches) == sorted(matches)
    for match in matches:
        assert 0 <= match.start < match.end <= len(text)
        if match.grounding is Grounding.VERBATIM:
            assert text[match.start : match.end] == value
            assert is_on_boundaries(text, match.start, match.end)
        if match.grounding is Grounding.CASE:
            assert text[match.start : match.end].casefold() == value.casefold()


@given(
    hour=st.integers(1, 12),
    part=st.sampled_from(["am", "pm", "in the afternoon"]),
    before=st.sampled_from(["", "please ", "we are 20, "]),
)
def test_a_planted_time_is_found_where_it_is(hour: int, part: str, before: str) -> None:
    spoken = f"{hour}:15 {part}"
    value = f"{hour % 12 + (0 if part == 'am' else 12):02}:15"
    text = f"{before}{spoken} thanks"
    [match] = find_matches(LabelledArgument("x", value), text, Parameter("x"), Lexicon(Recognizers()), None)
    assert match == Match(len(before), len(before) + len(spoken), Grounding.NORMALIZED)
