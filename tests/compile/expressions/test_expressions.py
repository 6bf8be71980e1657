from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.compile.expressions.amounts import durations_in, money_in
from stages.compile.expressions.dates import dates_in
from stages.compile.expressions.mentions import Mention
from stages.compile.expressions.numbers import number_of, numbers_in, ordinal_of, ordinals_in
from stages.compile.expressions.times import times_in
from stages.compile.expressions.words import base_form, wordings_in

FRIDAY = datetime.date(2019, 3, 1)


def said(text: str, mentions: tuple[Mention[Any], ...]) -> list[tuple[str, str]]:
    return [(text[one.start : one.end], str(one.readings[0])) for one in mentions]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("two three", [("two", "2"), ("three", "3")]),
        ("twenty-five", [("twenty-five", "25")]),
        ("one hundred and five of us", [("one hundred and five", "105")]),
        ("1,740 or 4.4", [("1,740", "1740"), ("4.4", "4.4")]),
        ("two million three thousand", [("two million three thousand", "2003000")]),
        ("nothing someone", []),
        ("twenty thirty", [("twenty", "20"), ("thirty", "30")]),
    ],
)
def test_numbers(text: str, expected: list[tuple[str, str]]) -> None:
    assert said(text, numbers_in(text)) == expected


@pytest.mark.parametrize(("text", "value"), [("third", 3), ("23rd", 23), ("twenty-first", 21)])
def test_ordinals(text: str, value: int) -> None:
    assert ordinal_of(text) == value
    assert [one.readings for one in ordinals_in(f"the {text} one")][-1] == (value,)


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="'many' is no number"):
        number_of("many")
    with pytest.raises(ValueError, match="'last' is no ordinal"):
        ordinal_of("last")


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("half past 12 in the afternoon", "12:30"),
        ("quarter to 1 in the afternoon", "12:45"),
        ('5 o"clock in the evening', "17:00"),
        ("afternoon 12:30", "12:30"),
        ("seven thirty pm", "19:30"),
        ("12 am", "00:00"),
        ("noon", "12:00"),
        ("midnight", "00:00"),
        ("half past eleven at night", "23:30"),
        ("18:45", "18:45"),
        ("ten past four in the afternoon", "16:10"),
    ],
)
def test_times(text: str, clock: str) -> None:
    [one] = times_in(text)
    assert text[one.start : one.end] == text
    assert f"{one.readings[0] // 60:02}:{one.readings[0] % 60:02}" == clock


def test_an_hour_without_a_part_of_the_day_has_two_readings() -> None:
    assert [one.readings for one in times_in("at 5")] == [(1020, 300)]


def test_a_number_alone_is_no_time() -> None:
    assert times_in("5 people") == ()


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("today", "2019-03-01"),
        ("later today", "2019-03-01"),
        ("tomorrow", "2019-03-02"),
        ("day after tomorrow", "2019-03-03"),
        ("this Saturday", "2019-03-02"),
        ("Sunday this week", "2019-03-03"),
        ("next Friday", "2019-03-08"),
        ("Wednesday next week", "2019-03-06"),
        ("Monday", "2019-03-04"),
        ("the 5th", "2019-03-05"),
        ("11th of this month", "2019-03-11"),
        ("March 9th", "2019-03-09"),
        ("9th of March", "2019-03-09"),
        ("March the fifth, 2020", "2020-03-05"),
        ("January 2nd", "2020-01-02"),
        ("in 3 days", "2019-03-04"),
        ("2 weeks from today", "2019-03-15"),
        ("3/14", "2019-03-14"),
        ("2019-04-01", "2019-04-01"),
    ],
)
def test_dates(text: str, date: str) -> None:
    assert said(text, dates_in(text, FRIDAY)) == [(text, date)]


@pytest.mark.parametrize("text", ["February 30th", "the 45th", "13/40", "99 days from nowhere"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert dates_in(text, FRIDAY) == ()


@pytest.mark.parametrize(
    ("text", "amount"),
    [("$400", ("400", "USD")), ("450 bucks", ("450", "USD")), ("twenty euros", ("20", "EUR")), ("£1,200.50", ("1200.50", "GBP"))],
)  # fmt: skip
def test_money(text: str, amount: tuple[str, str]) -> None:
    [one] = money_in(text)
    assert (text[one.start : one.end], one.readings[0]) == (text, (Decimal(amount[0]), amount[1]))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90 minutes", 5400), ("an hour and a half", 5400), ("two hours and 15 minutes", 8100), ("half an hour", 1800)],
)  # fmt: skip
def test_durations(text: str, seconds: int) -> None:
    [one] = durations_in(text)
    assert (text[one.start : one.end], one.readings[0]) == (text, seconds)


@pytest.mark.parametrize(
    ("word", "base"),
    [
        ("Cities", "city"),
        ("boxes", "box"),
        ("Anna's", "anna"),
        ("café", "cafe"),
        ("glass", "glass"),
        ("two", "2"),
    ],
)
def test_base_forms(word: str, base: str) -> None:
    assert base_form(word) == base


def test_words_in_another_form_are_found_without_a_leading_article() -> None:
    assert [text[:2] for text in wordings_in("see the Red Lions", "The Red Lion")] == [(8, 17)]


@given(st.text(max_size=60))
def test_no_text_breaks_the_expressions_and_mentions_never_overlap(text: str) -> None:
    for mentions in (
        numbers_in(text),
        ordinals_in(text),
        times_in(text),
        dates_in(text, FRIDAY),
        money_in(text),
        durations_in(text),
    ):
        ends = 0
        for one in mentions:
            assert ends <= one.start < one.end <= len(text)
            ends = one.end


@given(st.integers(0, 999_999))
def test_digits_with_separators_have_their_value(number: int) -> None:
    [one] = numbers_in(f"about {number:,} of them")
    assert one.readings == (Decimal(number),)
