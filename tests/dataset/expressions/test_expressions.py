from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.dataset.expressions.amounts import find_durations, find_money
from exemplars.dataset.expressions.dates import find_dates
from exemplars.dataset.expressions.mentions import Mention
from exemplars.dataset.expressions.numbers import find_numbers, find_ordinals, parse_number, parse_ordinal
from exemplars.dataset.expressions.spelling import normalize_word
from exemplars.dataset.expressions.times import find_times
from exemplars.dataset.expressions.words import find_wordings

FRIDAY = datetime.date(2019, 3, 1)


def show(text: str, mentions: tuple[Mention[Any], ...]) -> list[tuple[str, str]]:
    """The text of each mention, with its first reading."""
    return [(text[mention.start : mention.end], str(mention.readings[0])) for mention in mentions]


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
    assert show(text, find_numbers(text)) == expected


@pytest.mark.parametrize(("text", "value"), [("third", 3), ("23rd", 23), ("twenty-first", 21)])
def test_ordinals(text: str, value: int) -> None:
    assert parse_ordinal(text) == value
    assert [mention.readings for mention in find_ordinals(f"the {text} one")][-1] == (value,)


def test_text_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="'many' is not a number"):
        parse_number("many")
    with pytest.raises(ValueError, match="'last' is not an ordinal"):
        parse_ordinal("last")


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
    [time] = find_times(text)
    assert text[time.start : time.end] == text
    assert f"{time.readings[0] // 60:02}:{time.readings[0] % 60:02}" == clock


def test_an_hour_without_a_part_of_the_day_has_two_readings() -> None:
    assert [time.readings for time in find_times("at 5")] == [(1020, 300)]


def test_a_number_alone_is_not_a_time() -> None:
    assert find_times("5 people") == ()


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
    assert show(text, find_dates(text, FRIDAY)) == [(text, date)]


@pytest.mark.parametrize("text", ["February 30th", "the 45th", "13/40", "99 days from nowhere"])
def test_text_that_is_not_a_date_has_none(text: str) -> None:
    assert find_dates(text, FRIDAY) == ()


@pytest.mark.parametrize(
    ("text", "amount"),
    [("$400", ("400", "USD")), ("450 bucks", ("450", "USD")), ("twenty euros", ("20", "EUR")), ("£1,200.50", ("1200.50", "GBP"))],
)  # fmt: skip
def test_money(text: str, amount: tuple[str, str]) -> None:
    [money] = find_money(text)
    assert (text[money.start : money.end], money.readings[0]) == (text, (Decimal(amount[0]), amount[1]))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90 minutes", 5400), ("an hour and a half", 5400), ("two hours and 15 minutes", 8100), ("half an hour", 1800)],
)  # fmt: skip
def test_durations(text: str, seconds: int) -> None:
    [duration] = find_durations(text)
    assert (text[duration.start : duration.end], duration.readings[0]) == (text, seconds)


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
    assert normalize_word(word) == base


def test_words_in_another_form_are_found_without_a_leading_article() -> None:
    assert [mention[:2] for mention in find_wordings("see the Red Lions", "The Red Lion")] == [(8, 17)]


@given(st.text(max_size=60))
def test_no_text_breaks_the_expressions_and_mentions_never_overlap(text: str) -> None:
    for mentions in (
        find_numbers(text),
        find_ordinals(text),
        find_times(text),
        find_dates(text, FRIDAY),
        find_money(text),
        find_durations(text),
    ):
        end = 0
        for mention in mentions:
            assert end <= mention.start < mention.end <= len(text)
            end = mention.end


@given(st.integers(0, 999_999))
def test_digits_with_separators_have_their_value(number: int) -> None:
    [mention] = find_numbers(f"about {number:,} of them")
    assert mention.readings == (Decimal(number),)
