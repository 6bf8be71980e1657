from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.ids import (
    RowId,
    is_speech_id,
    make_row_id,
    make_speech_id,
    make_view_id,
    parse_row_id,
    strip_derived,
    strip_speech,
)
from exemplars.core.records import Origin

SOURCES = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True)
PATHS = st.from_regex(r"[A-Za-zé0-9_.:@~ -]{1,12}(/[A-Za-z0-9_.-]{1,8}){0,2}", fullmatch=True)
LOCATORS = st.integers(1, 10**6).map(str) | st.from_regex(r"(/[a-z0-9]{1,6}){1,4}", fullmatch=True)
SLOTS = st.from_regex(r"[a-z_][a-z0-9_.\[\]:@]{0,12}", fullmatch=True)


@given(SOURCES, PATHS, LOCATORS)
def test_parsing_a_row_id_is_the_inverse_of_making_it(source: str, path: str, locator: str) -> None:
    row_id = make_row_id(source, Origin(path, "0", locator))
    assert parse_row_id(row_id) == RowId(source, path, locator)
    assert strip_derived(row_id) == row_id


@given(SOURCES, PATHS, LOCATORS, st.booleans(), st.sampled_from(["call", "skill", "slot"]), SLOTS)
def test_parsing_the_id_of_a_chat_row_is_the_inverse_of_making_it(
    source: str, path: str, locator: str, speech: bool, view: str, slot: str
) -> None:
    row_id = make_row_id(source, Origin(path, "0", locator))
    exemplar_id = make_speech_id(row_id) if speech else row_id
    of_slot = slot if view == "slot" else None
    chat_id = make_view_id(exemplar_id, view, of_slot)
    expected = RowId(source, path, locator, speech, None if view == "call" else view, of_slot)
    assert parse_row_id(chat_id) == expected
    assert strip_derived(chat_id) == row_id
    assert strip_speech(exemplar_id) == row_id
    assert is_speech_id(exemplar_id) == speech


@pytest.mark.parametrize(
    ("row_id", "expected"),
    [
        ("skills:call.md#12", RowId("skills", "call.md", "12")),
        ("sgd:dev/a.json#/3/turns/4", RowId("sgd", "dev/a.json", "/3/turns/4")),
        ("skills:call.md#12~speech", RowId("skills", "call.md", "12", speech=True)),
        ("skills:call.md#12@skill", RowId("skills", "call.md", "12", view="skill")),
        ("skills:call.md#12@slot:contact", RowId("skills", "call.md", "12", view="slot", slot="contact")),
        (
            "skills:call.md#12~speech@slot:a[0].b",
            RowId("skills", "call.md", "12", speech=True, view="slot", slot="a[0].b"),
        ),
        ("skills:c#.md#12", RowId("skills", "c#.md", "12")),
    ],
)
def test_an_id_has_the_parts_that_its_grammar_names(row_id: str, expected: RowId) -> None:
    assert parse_row_id(row_id) == expected


@pytest.mark.parametrize("row_id", ["", "call.md", "skills:call.md", "call.md#12", "#"])
def test_text_that_is_not_an_id_is_refused(row_id: str) -> None:
    with pytest.raises(ValueError, match="is not <source>:<file>#<locator>"):
        parse_row_id(row_id)
