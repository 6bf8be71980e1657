"""A mention of a value that has the same standing as another is never left over in silence."""

from __future__ import annotations

import datetime

import pytest

from exemplars.core.records import LabelledArgument
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.recognizers import Recognizers
from stages.compile.grounding import find_matches
from stages.compile.lexicon import Lexicon

LEXICON = Lexicon(Recognizers())
WEDNESDAY = datetime.date(2024, 2, 28)


def locate(text: str, value: str, *spoken: str, name: str = "nights", type_: str = "string") -> list[str]:
    label = LabelledArgument(name, value, spoken)
    matches = find_matches(label, text, Parameter(name, type=type_), LEXICON, WEDNESDAY)
    return [text[match.start : match.end] for match in matches]


@pytest.mark.parametrize(
    ("text", "value", "mentions"),
    [
        ("one double room please, one night", "1", ["one", "one"]),
        ("1 twin, one night", "1", ["1", "one"]),
        ("two adults for a two night stay", "2", ["two", "two"]),
        ("3 of us, three nights", "3", ["3", "three"]),
        ("at 7:30 pm, I mean 19:30", "19:30", ["7:30 pm", "19:30"]),
        ("on 2024-02-29, so tomorrow", "2024-02-29", ["2024-02-29", "tomorrow"]),
        ("$30, thirty dollars", "$30", ["$30", "thirty dollars"]),
    ],
)
def test_all_notations_of_a_value_have_equal_standing(text: str, value: str, mentions: list[str]) -> None:
    assert locate(text, value) == mentions


@pytest.mark.parametrize(
    ("text", "value", "mention"),
    [
        ("2 rooms at 2 pm", "2", "2"),
        ("two rooms at 2 in the afternoon", "2", "two"),
        ("2 rooms in two weeks", "2", "2"),
        ("that one, for 1 night", "1", "1"),
        ("the cheap one. For 1 night", "1", "1"),
        ("I am the only one coming, for 1 night", "1", "1"),
        ("is there one I can afford, for 1 night?", "1", "1"),
        ("a one-way ticket for 1", "1", "1"),
        ("2 rooms for a couple of days", "2", "2"),
        ("5 rooms for 5 million dollars", "5", "5"),
        ("07:00, or at 7 pm", "07:00", "07:00"),
    ],
)
def test_what_says_something_else_is_no_mention_of_the_value(text: str, value: str, mention: str) -> None:
    assert locate(text, value) == [mention]


def test_the_count_of_a_date_is_a_mention_for_a_parameter_that_counts_days() -> None:
    assert locate("2 rooms, and remind me in 2 days", "2", name="rooms") == ["2"]
    assert locate("2 rooms, and remind me in 2 days", "2", name="days") == ["2", "2"]


def test_the_wording_that_the_source_gives_is_stronger_than_other_notations() -> None:
    assert locate("two seats for 2 days", "2", "two") == ["two"]
    assert locate("two seats for 2 days", "2", "2") == ["two", "2"]


def test_a_part_of_a_larger_number_is_no_mention() -> None:
    assert locate("5 million people", "5") == []
    assert locate("5 million people", "5000000") == ["5 million"]
    assert locate("minus 5 degrees", "5") == []
    assert locate("minus 5 degrees", "-5") == ["minus 5"]


@pytest.mark.parametrize("text", ["one night", "two night stay", "one afternoon", "one night 2 people"])
def test_an_hour_needs_the_context_of_an_hour(text: str) -> None:
    from exemplars.dataset.expressions.times import find_times

    assert find_times(text) == ()


@pytest.mark.parametrize(
    ("text", "surface"),
    [
        ("at half eight", "half eight"),
        ("at 18h45", "18h45"),
        ("at 0745 hours", "0745 hours"),
        ("at 7:45:00", "7:45:00"),
        ("seven in the evening", "seven in the evening"),
        ("a table for two at evening 7", "evening 7"),
        ("this evening 7:15", "evening 7:15"),
        ("for 1 in the evening 6:45", "evening 6:45"),
        ("9 in the night, 1 Main Street", "9 in the night"),
        ("3:15 in the afternoon at 990 Main Street", "3:15 in the afternoon"),
        ("in an evening 4 spot", "evening 4"),
    ],
)
def test_times_in_other_notations(text: str, surface: str) -> None:
    from exemplars.dataset.expressions.times import find_times

    assert [text[time.start : time.end] for time in find_times(text)] == [surface]


@pytest.mark.parametrize(
    ("text", "value", "surface"),
    [
        ("on 29 February", "2024-02-29", "29 February"),
        ("on 02/29", "2024-02-29", "02/29"),
        ("on 4.3.2024", "2024-03-04", "4.3.2024"),
        ("on 4/3", "2024-03-04", "4/3"),
        ("a week from Monday", "2024-03-11", "a week from Monday"),
        ("Monday week", "2024-03-11", "Monday week"),
        ("at the weekend", "2024-03-03", "the weekend"),
        ("at half nine", "08:30", None),
        ("at half nine", "09:30", "half nine"),
        ("at 20:15", "8:15 pm", "20:15"),
        ("70% off", "seventy percent", "70%"),
    ],
)
def test_dates_and_times_are_found_in_other_notations(text: str, value: str, surface: str | None) -> None:
    assert locate(text, value) == ([surface] if surface else [])
