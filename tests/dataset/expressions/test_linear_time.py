"""Texts on which a search that tries everything takes minutes."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable

import pytest

from exemplars.dataset.expressions.amounts import find_durations, find_money
from exemplars.dataset.expressions.dates import find_dates
from exemplars.dataset.expressions.mentions import Mention, drop_parts, keep_longest
from exemplars.dataset.expressions.numbers import find_numbers, find_ordinals
from exemplars.dataset.expressions.occurrences import find_occurrences
from exemplars.dataset.expressions.times import find_times
from exemplars.dataset.expressions.verbatim import find_exact, find_ignoring_case
from exemplars.dataset.expressions.words import find_wordings

MAX_SECONDS = 30
TODAY = datetime.date(2024, 2, 28)


def find_relative_dates(text: str) -> tuple[Mention[datetime.date], ...]:
    return find_dates(text, TODAY)


@pytest.mark.parametrize(
    "find", [find_numbers, find_ordinals, find_times, find_relative_dates, find_money, find_durations]
)
@pytest.mark.parametrize(
    "text",
    [
        "twenty " * 2000,
        "five hundred " * 2000,
        "one thousand and " * 2000,
        "twenty" + " " * 20_000 + "x",
        "5" + " " * 20_000 + "in the" + " " * 20_000 + "x",
        "at 5 " * 4000,
        "an hour, " * 2000,
        "1," * 10_000 + "x",
        "$" + "1" * 20_000 + "x",
    ],
    ids=[
        "number words",
        "hundreds",
        "and",
        "spaces",
        "more spaces",
        "times",
        "durations",
        "commas",
        "digits",
    ],
)
def test_long_texts_are_read_in_time(find: Callable[[str], tuple[object, ...]], text: str) -> None:
    start = time.process_time()
    find(text)
    assert time.process_time() - start < MAX_SECONDS


def test_values_that_are_half_of_their_text_are_found_in_time() -> None:
    start = time.process_time()
    assert find_exact("a " * 50_000 + "b", "a " * 25_000 + "c") == []
    assert find_exact("a" * 100_000, "a" * 50_000) == []
    assert find_ignoring_case("a" * 100_000, "A" * 50_000) == []
    assert len(find_wordings("b " * 50_000, "b " * 25_000)) <= 25_001
    assert time.process_time() - start < MAX_SECONDS


def test_many_mentions_are_compared_in_time() -> None:
    mentions = [Mention(start, start + 1, ()) for start in range(100_000)]
    start = time.process_time()
    assert keep_longest(mentions) == tuple(mentions)
    assert drop_parts(mentions, [mention._replace(end=mention.end + 1) for mention in mentions]) == ()
    assert time.process_time() - start < MAX_SECONDS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("five hundred five hundred", ["500", "500"]),
        ("two thousand five thousand", ["2000", "5000"]),
        ("two thousand three million", ["2000", "3000000"]),
        ("twenty twenty one", ["20", "21"]),
        ("one hundred and", ["100"]),
        ("twenty   \t five", ["25"]),
    ],
)
def test_a_row_of_number_words_is_divided_into_numbers(text: str, expected: list[str]) -> None:
    assert [str(mention.readings[0]) for mention in find_numbers(text)] == expected


def test_mentions_are_those_of_the_text_with_all_its_spaces() -> None:
    text = "at  \t 5   pm,   twenty \n\n dollars   please"
    [when], [sum_] = find_times(text), find_money(text)
    assert (text[when.start : when.end], text[sum_.start : sum_.end]) == ("5   pm", "twenty \n\n dollars")


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_words_for_no_number_are_not_numbers(value: str) -> None:
    from exemplars.dataset.expressions.numbers import parse_number

    with pytest.raises(ValueError, match=f"'{value}' is not a number"):
        parse_number(value)


def test_an_ordinal_of_thousands_of_digits_is_no_ordinal() -> None:
    assert find_ordinals("1" * 5000 + "th") == ()


def test_occurrences_of_long_texts_are_those_of_short_ones() -> None:
    wanted = "ab" * 40
    text = "ab" * 100 + "a" + "ab" * 45
    assert list(find_occurrences(text, wanted)) == [
        start for start in range(len(text)) if text.startswith(wanted, start)
    ]
