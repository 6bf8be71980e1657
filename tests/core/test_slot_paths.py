from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.slot_paths import (
    MAX_DEPTH,
    Segments,
    assemble_arguments,
    flatten_arguments,
    format_path,
    parse_path,
)
from exemplars.dataset.templates import fill_spans, write_template

NAMES = st.one_of(
    st.text(max_size=6), st.sampled_from(["a.b", "a[0]", 'a"b', "a b", "<a>", "from", "0", "-", "é"])
)
SEGMENTS = st.lists(st.one_of(NAMES, st.integers(0, 20)), max_size=5)
LITERALS = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.floats(allow_nan=False, width=32), st.text(max_size=5)
)
VALUES = st.recursive(
    LITERALS, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3))
)


@given(NAMES, SEGMENTS)
def test_a_path_comes_back_from_its_text(name: str, rest: list[str | int]) -> None:
    segments: Segments = (name, *rest)
    assert parse_path(format_path(segments)) == segments


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_arguments_come_back_from_their_leaves_in_their_order(arguments: dict[str, Any]) -> None:
    assert repr(assemble_arguments(flatten_arguments(arguments))) == repr(arguments)


@given(NAMES, SEGMENTS)
def test_a_template_can_have_any_path(name: str, rest: list[str | int]) -> None:
    class Span:
        slot, start, end = format_path((name, *rest)), 5, 10

    template = write_template("call Maria now", [Span()])
    assert [tuple(span) for span in fill_spans(template, "call Maria now", {Span.slot})] == [
        (Span.slot, 5, 10)
    ]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "does not begin with a name"),
        ("[0].a", "does not begin with a name"),
        (".a", "is not a path: see position 0"),
        ("a..b", "is not a path: see position 1"),
        ("a[01]", "is not a path: see position 1"),
        ("a[0]b", "is not a path: see position 4"),
        ("a b", "is not a path: see position 1"),
        ('a["b]', "is not a path: see position 1"),
    ],
)
def test_what_is_no_path_is_refused(path: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_path(path)


@pytest.mark.parametrize(
    ("leaves", "message"),
    [
        ([("a", 1), ("a", 2)], "'a' is filled twice"),
        ([("a", 1), ("a.b", 2)], "'a.b' goes through a value"),
        ([("a.b", 1), ("a", 2)], "'a' is filled twice"),
        ([("a[0]", 1), ("a[2]", 2)], "'a' is a list that leaves out an item"),
        ([("a[0]", 1), ("a.b", 2)], "'a' is both a list and an object"),
    ],
)
def test_leaves_that_do_not_fit_together_are_refused(leaves: list[tuple[str, Any]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        assemble_arguments(leaves)


def test_arguments_that_are_nested_too_deeply_are_refused() -> None:
    value: Any = 1
    for _ in range(50):
        value = [value]
    with pytest.raises(ValueError, match=f"nested more than {MAX_DEPTH} deep"):
        flatten_arguments({"a": value})
