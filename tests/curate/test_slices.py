from __future__ import annotations

import pytest

from exemplars.core.representativeness import Slice
from stages.curate.slices import (
    classify_form,
    classify_length,
    count_slices,
    join_slice_counts,
    measure_slices,
)
from tests.curate.rows import LEXICONS, make_argument, make_row


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("is it raining", "question"),
        ("Play it?", "question"),
        ("I'd like some jazz", "wish"),
        ("we need a table", "wish"),
        ("jazz please", "fragment"),
        ("play some jazz for me", "statement"),
        ("", "fragment"),
    ],
)
def test_each_form_has_its_texts(text: str, form: str) -> None:
    assert classify_form(text) == form


def test_lengths_fall_into_slices() -> None:
    assert [classify_length(words) for words in (1, 3, 4, 15, 30, 31)] == [
        "01-03 words",
        "01-03 words",
        "04-07 words",
        "08-15 words",
        "16-30 words",
        "31+ words",
    ]


def test_slices_have_shares_with_intervals() -> None:
    rows = [
        make_row("1", "call her"),
        make_row("2", "call him in London"),
        make_row("3", "call", "ring"),
        make_row("4", "um", None),
    ]
    slices = {
        (slice_.dimension, slice_.slice): slice_ for slice_ in measure_slices(count_slices(rows, LEXICONS))
    }
    assert slices["skill", "call"] == Slice("skill", "call", 2, 0.5, 0.150039, 0.849961)
    assert slices["gender", "female"].rows == 1
    assert slices["gender", "male"].rows == 1
    assert slices["gender", "(none)"].rows == 2
    assert slices["place", "europe"].rows == 1


def test_names_count_as_mentions_unless_they_are_words() -> None:
    rows = [make_row("1", "call Maria"), make_row("2", "call May")]
    slices = measure_slices(count_slices(rows, LEXICONS))
    counts = {slice_.slice: slice_.rows for slice_ in slices if slice_.dimension == "gender"}
    assert counts == {"(none)": 1, "female": 1}


def test_no_rows_have_no_slices() -> None:
    assert measure_slices(count_slices([], LEXICONS)) == []


def test_the_items_of_a_list_are_one_part_of_the_pattern() -> None:
    text = "soup and pie for Ann"
    paths = {"dishes[0].name": "soup", "dishes[1].name": "pie", "who": "Ann"}
    arguments = tuple(make_argument(path, word, text) for path, word in paths.items())
    slices = measure_slices(count_slices([make_row("1", text, arguments=arguments)], LEXICONS))
    assert [slice_.slice for slice_ in slices if slice_.dimension == "pattern"] == ["dishes[].name, who"]


def test_the_counts_of_two_lists_of_rows_add_up() -> None:
    rows = [make_row("1", "call her"), make_row("2", "call him"), make_row("3", "stop", None)]
    parts = [count_slices(rows[:1], LEXICONS), count_slices(rows[1:], LEXICONS)]
    assert join_slice_counts(*parts) == count_slices(rows, LEXICONS)
