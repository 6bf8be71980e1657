from __future__ import annotations

import pytest

from exemplars.dataset.catalog import Parameter, Skill
from stages.curate.lexicons import FILES, Lexicons, decode_lexicons
from stages.curate.slices import (
    Balance,
    Coverage,
    Slice,
    associations_of,
    balance_of,
    coverage_of,
    length_slice,
    question_form,
    slices_of,
)
from tests.conftest import PROJECT
from tests.curate.rows import located, row

LEXICONS: Lexicons = decode_lexicons(
    {name: (name, (PROJECT / f"schemas/lexicons/{name}.json").read_bytes()) for name in FILES}
)


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
def test_how_a_text_asks(text: str, form: str) -> None:
    assert question_form(text) == form


def test_lengths_fall_into_slices() -> None:
    assert [length_slice(words) for words in (1, 3, 4, 15, 30, 31)] == [
        "01-03 words",
        "01-03 words",
        "04-07 words",
        "08-15 words",
        "16-30 words",
        "31+ words",
    ]


def test_slices_have_shares_with_intervals() -> None:
    rows = [
        row("1", "call her"),
        row("2", "call him in London"),
        row("3", "call", "ring"),
        row("4", "um", None),
    ]
    slices = {(one.dimension, one.slice): one for one in slices_of(rows, LEXICONS)}
    assert slices["skill", "call"] == Slice("skill", "call", 2, 0.5, 0.150039, 0.849961)
    assert slices["gender", "female"].rows == 1
    assert slices["gender", "male"].rows == 1
    assert slices["gender", "(none)"].rows == 2
    assert slices["place", "europe"].rows == 1


def test_names_count_as_mentions_unless_they_are_words() -> None:
    rows = [row("1", "call Maria"), row("2", "call May")]
    counts = {one.slice: one.rows for one in slices_of(rows, LEXICONS) if one.dimension == "gender"}
    assert counts == {"(none)": 1, "female": 1}


def test_no_rows_have_no_slices() -> None:
    assert slices_of([], LEXICONS) == []


def test_coverage_names_the_thinnest_with_examples_to_start_from() -> None:
    kind = Parameter("kind", enum=("home", "work"))
    text = "call at home"
    rows = [row("1", text, arguments=(located("kind", "home", text),)), row("2", "call")]
    assert coverage_of(rows, [Skill("call", parameters=(kind,)), Skill("play")]) == [
        Coverage("call", "kind", "work", 0, ("call at home",)),
        Coverage("play", "", "", 0, ()),
        Coverage("call", "kind", "", 1, ("call at home",)),
        Coverage("call", "kind", "home", 1, ("call at home",)),
        Coverage("call", "", "", 2, ("call", "call at home")),
    ]


@pytest.mark.parametrize(
    ("counts", "balance"),
    [
        ([5, 5], Balance("x", 2, 1.0, 1.0)),
        ([9, 1], Balance("x", 2, 0.468996, 9.0)),
        ([7], Balance("x", 1, 0.0, 1.0)),
        ([], Balance("x", 0, 0.0, 0.0)),
        ([4, 0], Balance("x", 1, 0.0, 1.0)),
    ],
)
def test_balance_is_entropy_by_its_largest_value(counts: list[int], balance: Balance) -> None:
    assert balance_of("x", counts) == balance


def test_a_mention_that_goes_along_with_a_skill_is_found() -> None:
    rows = [row(f"a{n}", "call her", "call") for n in range(30)] + [
        row(f"b{n}", "play his", "play") for n in range(30)
    ]
    gender, place, age = associations_of(rows, LEXICONS)
    assert (gender.dimension, gender.rows, gender.effect > 0.9, gender.p_value < 0.001) == (
        "gender",
        60,
        True,
        True,
    )
    assert (place.effect, place.p_value, age.effect, age.p_value) == (0.0, 1.0, 0.0, 1.0)


def test_a_mention_that_goes_along_with_no_skill_is_not_found() -> None:
    rows = [
        row(f"{n}", "call her" if n % 2 else "call him", "call" if n % 4 < 2 else "play") for n in range(80)
    ]
    assert associations_of(rows, LEXICONS)[0].effect == 0.0
