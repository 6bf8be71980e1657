from __future__ import annotations

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.models.calls import (
    Call,
    CallFormat,
    MalformedCall,
    format_call,
    format_value,
    is_call_prefix,
    parse_call,
)

SLOTS = st.one_of(st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True), st.sampled_from(keyword.kwlist))
NAMES = SLOTS.filter(lambda name: not keyword.iskeyword(name))
VALUES = st.one_of(
    st.text(max_size=20), st.integers(-(10**9), 10**9), st.booleans(), st.floats(-1e6, 1e6, allow_nan=False)
)


def test_a_call_is_formatted_in_both_formats() -> None:
    call = Call("weather", {"location": 'the "Old" Town', "days": 3, "metric": True})
    assert (
        format_call(call, CallFormat.PYTHON) == 'weather(location="the \\"Old\\" Town", days=3, metric=True)'
    )
    assert (
        format_call(call, CallFormat.JSON)
        == '{"name": "weather", "arguments": {"location": "the \\"Old\\" Town", "days": 3, "metric": true}}'
    )


def test_no_call_is_spelled_none_and_null() -> None:
    assert format_call(None, CallFormat.PYTHON) == "None"
    assert format_call(None, CallFormat.JSON) == "null"
    assert parse_call(" None\n", CallFormat.PYTHON) is None
    assert parse_call("null", CallFormat.JSON) is None
    assert format_value(None, CallFormat.JSON) == "null"


@given(NAMES, st.dictionaries(SLOTS, VALUES, max_size=4), st.sampled_from(CallFormat))
def test_parsing_is_the_inverse_of_formatting(
    name: str, arguments: dict[str, object], form: CallFormat
) -> None:
    call = Call(name, arguments)  # type: ignore[arg-type]
    assert parse_call(format_call(call, form), form) == call


@pytest.mark.parametrize("name", ["find-inn", "math.factorial"])
def test_names_may_have_hyphens_and_dots(name: str) -> None:
    call = Call(name, {"inn-area": "north", "dishes[0].count": 2})
    text = format_call(call, CallFormat.PYTHON)
    assert parse_call(text, CallFormat.PYTHON) == call
    assert all(is_call_prefix(text[:length], CallFormat.PYTHON) for length in range(len(text)))


def test_parameters_may_be_named_like_keywords_and_texts_may_contain_what_looks_like_one() -> None:
    call = Call("find", {"from": 'class="x", to=', "class": "it's from=", "is_from": "'"})
    text = format_call(call, CallFormat.PYTHON)
    assert text == 'find(from="class=\\"x\\", to=", class="it\'s from=", is_from="\'")'
    assert parse_call(text, CallFormat.PYTHON) == call
    assert parse_call("find(from = 'a', to=\"b\")", CallFormat.PYTHON) == Call(
        "find", {"from": "a", "to": "b"}
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("weather(", "not the syntax of a call"),
        ("weather", "not a call"),
        ('weather("Boston")', "an argument without a name"),
        ("weather(location=home())", "an argument that is not a literal"),
        ("weather(**where)", "an argument that is not a literal"),
        ('__import__("os").system(cmd="ls")', "not a call"),
        ('weather(location="a", location="b")', "location twice"),
        ("weather(days=1e999)", "an argument that is not a literal"),
        ("weather(days=99999999999999999999)", "an argument that is not a literal"),
        ("", "not the syntax of a call"),
    ],
)
def test_text_that_is_not_a_python_call_is_rejected_with_the_reason(text: str, why: str) -> None:
    assert parse_call(text, CallFormat.PYTHON) == MalformedCall(why)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not JSON"),
        ('{"name": "a"}', "not an object with name and arguments"),
        ('{"name": 1, "arguments": {}}', "a name that is not a string, or arguments that are not an object"),
        ('{"name": "a", "arguments": {"b": [1]}}', "an argument that is not a literal"),
        ('{"name": "a", "arguments": {"b": 1e999}}', "an argument that is not a literal"),
        ('{"name": "a", "arguments": {"b": "\\ud800"}}', "an argument that is not a literal"),
        ('{"name": "a", "arguments": {"b": 1, "b": 2}}', "b twice"),
        ('{"name": "a", "arguments": {"b": NaN}}', "not JSON"),
    ],
)
def test_text_that_is_not_a_json_call_is_rejected_with_the_reason(text: str, why: str) -> None:
    assert parse_call(text, CallFormat.JSON) == MalformedCall(why)


@pytest.mark.parametrize("text", ["", " ", "set_ti", "set_timer", "set_timer(", 'a(b="c")', "None", "Noneth"])
def test_a_prefix_of_a_python_call_may_become_one(text: str) -> None:
    assert is_call_prefix(text, CallFormat.PYTHON)


@pytest.mark.parametrize("text", ["I am", "Sure!", "1(", '"', "weather.get it", "{"])
def test_prose_is_not_a_prefix_of_a_python_call(text: str) -> None:
    assert not is_call_prefix(text, CallFormat.PYTHON)


@pytest.mark.parametrize(
    ("text", "expected"), [("{", True), ('{"na', True), ("nul", True), ("null", True), ("no", False)]
)
def test_a_json_call_begins_with_a_brace_or_is_null(text: str, expected: bool) -> None:
    assert is_call_prefix(text, CallFormat.JSON) is expected
