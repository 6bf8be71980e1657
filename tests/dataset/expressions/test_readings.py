"""Spans read as canonical values."""

from __future__ import annotations

import datetime

import pytest

from exemplars.dataset.expressions.readings import read_value


@pytest.mark.parametrize(
    ("text", "surface", "kind", "value"),
    [
        ("wake me at 7:30 am", "7:30 am", "time", "07:30"),
        ("wake me at 5", "5", "time", "17:00"),
        ("a table at noon", "noon", "time", "12:00"),
        ("14,000 yen to dollars", "14,000", "number", "14000"),
        ("set it to 20.5", "20.5", "number", "20.5"),
        ("twenty one in here", "twenty one", "number", "21"),
        ("for three weeks", "three weeks", "number", "3"),
        ("on the 5th of March", "the 5th of March", "date", "2019-03-05"),
        ("tomorrow, please", "tomorrow", "date", "2019-03-02"),
    ],
)
def test_words_are_read_as_the_value_that_they_mean(text: str, surface: str, kind: str, value: str) -> None:
    start = text.index(surface)
    assert read_value(text, start, start + len(surface), kind, datetime.date(2019, 3, 1)) == value


@pytest.mark.parametrize(
    ("text", "surface", "kind"),
    [
        ("call mum", "mum", "number"),
        ("two or three weeks", "two or three", "number"),
        ("see you tomorrow", "tomorrow", "date"),
        ("in the morning", "the morning", "time"),
    ],
)
def test_words_without_one_reading_are_not_read(text: str, surface: str, kind: str) -> None:
    start = text.index(surface)
    assert read_value(text, start, start + len(surface), kind, None) is None
