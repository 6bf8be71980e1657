"""Calls of earlier turns as lines of JSON, and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.dataset.context_calls import MadeCall, format_context_turn, parse_context_turn

VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
CALLS = st.builds(MadeCall, st.text(min_size=1), st.dictionaries(st.text(), VALUES, max_size=3))


def test_a_turn_is_its_text_then_a_line_for_each_call() -> None:
    calls = (MadeCall("find", {"city": "Zürich", "stars": [3, 4]}), MadeCall("stop", {}))
    text = 'One moment.\n{"name": "find", "arguments": {"city": "Zürich", "stars": [3, 4]}}\n' + (
        '{"name": "stop", "arguments": {}}'
    )
    assert format_context_turn("One moment.", calls) == text
    assert parse_context_turn(text) == ("One moment.", calls)
    assert parse_context_turn('{"name": "stop", "arguments": {}}') == ("", (MadeCall("stop", {}),))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Which city?",
        '{"name":"stop","arguments":{}}',
        '{"name": "stop"}',
        '{"name": "stop", "arguments": []}',
        '{"name": "stop", "arguments": {}} it is',
        '{"name": 5, "arguments": {}}',
        '{"name": "stop", "arguments": {',
    ],
)
def test_other_text_has_no_calls(text: str) -> None:
    assert parse_context_turn(text) == (text, ())


@given(st.text().filter(lambda text: '{"name": ' not in text), st.lists(CALLS, max_size=3))
def test_what_is_formatted_is_parsed(text: str, calls: list[MadeCall]) -> None:
    turn = format_context_turn(text, calls)
    found = parse_context_turn(turn)
    assert found == (text, tuple(calls))
    assert json.loads(json.dumps(found[1])) == [list(call) for call in calls]
