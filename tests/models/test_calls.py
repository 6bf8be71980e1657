from __future__ import annotations

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.models.calls import (
    Call,
    CallFormat,
    MalformedCall,
    format_calls,
    format_value,
    is_call_prefix,
    parse_calls,
)

SLOTS = st.one_of(st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True), st.sampled_from(keyword.kwlist))
NAMES = SLOTS.filter(lambda name: not keyword.iskeyword(name))
LITERALS = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
)
VALUES = st.recursive(
    LITERALS,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=5), values, max_size=3),
    max_leaves=8,
)
CALLS = st.builds(
    Call,
    NAMES | st.text('a"\\\n ', max_size=6) | st.text(max_size=20),
    st.dictionaries(SLOTS | st.text(max_size=8), VALUES, max_size=4),
)


def encode(calls: object) -> str:
    """Encode calls so that `1`, `1.0` and `True` differ."""
    return repr(calls)


def test_a_call_is_formatted_in_both_formats() -> None:
    call = Call("weather", {"location": 'the "Old" Town', "days": 3, "metric": True})
    assert (
        format_calls([call], CallFormat.PYTHON)
        == 'weather(location="the \\"Old\\" Town", days=3, metric=True)'
    )
    assert (
        format_calls([call], CallFormat.JSON)
        == '{"name": "weather", "arguments": {"location": "the \\"Old\\" Town", "days": 3, "metric": true}}'
    )


def test_no_call_is_spelled_none_and_null() -> None:
    assert format_calls([], CallFormat.PYTHON) == "None"
    assert format_calls([], CallFormat.JSON) == "null"
    assert parse_calls(" None\n", CallFormat.PYTHON) == ()
    assert parse_calls("null", CallFormat.JSON) == ()
    assert format_value(None, CallFormat.JSON) == "null"


@given(st.lists(CALLS, max_size=3), st.sampled_from(CallFormat))
def test_parsing_is_the_inverse_of_formatting(calls: list[Call], form: CallFormat) -> None:
    text = format_calls(calls, form)
    assert parse_calls(text, form) == tuple(calls)
    assert encode(parse_calls(text, form)) == encode(tuple(calls))


@given(st.lists(CALLS, max_size=3), st.sampled_from(CallFormat), st.integers(0, 200))
def test_what_calls_begin_with_may_become_calls(calls: list[Call], form: CallFormat, length: int) -> None:
    assert is_call_prefix(format_calls(calls, form)[:length], form)


@pytest.mark.parametrize(
    ("calls", "python", "document"),
    [
        (
            [Call("lock", {}), Call("light", {"on": False, "rooms": ["hall", None]})],
            '[lock(), light(on=False, rooms=["hall", None])]',
            '[{"name": "lock", "arguments": {}}, '
            '{"name": "light", "arguments": {"on": false, "rooms": ["hall", null]}}]',
        ),
        (
            [Call("order", {"dishes": [{"dish": "soup", "hot": True}], "notes": {}})],
            'order(dishes=[{"dish": "soup", "hot": True}], notes={})',
            '{"name": "order", "arguments": {"dishes": [{"dish": "soup", "hot": true}], "notes": {}}}',
        ),
        (
            [Call("find inn", {"zip code": "1", "2fa": None, "class": 2.0})],
            '"find inn"("zip code"="1", "2fa"=None, class=2.0)',
            '{"name": "find inn", "arguments": {"zip code": "1", "2fa": null, "class": 2.0}}',
        ),
    ],
)
def test_several_calls_nested_values_and_other_names_are_formatted(
    calls: list[Call], python: str, document: str
) -> None:
    assert format_calls(calls, CallFormat.PYTHON) == python
    assert format_calls(calls, CallFormat.JSON) == document


def test_a_list_may_hold_one_call_or_none() -> None:
    assert parse_calls("[lock()]", CallFormat.PYTHON) == (Call("lock", {}),)
    assert parse_calls("[]", CallFormat.PYTHON) == ()
    assert parse_calls('[{"name": "lock", "arguments": {}}]', CallFormat.JSON) == (Call("lock", {}),)


@pytest.mark.parametrize("name", ["find-inn", "math.factorial"])
def test_names_may_have_hyphens_and_dots(name: str) -> None:
    call = Call(name, {"inn-area": "north", "dishes[0].count": 2})
    text = format_calls([call], CallFormat.PYTHON)
    assert parse_calls(text, CallFormat.PYTHON) == (call,)
    assert all(is_call_prefix(text[:length], CallFormat.PYTHON) for length in range(len(text)))


def test_parameters_may_be_named_like_keywords_and_texts_may_contain_what_looks_like_one() -> None:
    call = Call("find", {"from": 'class="x", to=', "class": "it's from=", "is_from": "'"})
    text = format_calls([call], CallFormat.PYTHON)
    assert text == 'find(from="class=\\"x\\", to=", class="it\'s from=", is_from="\'")'
    assert parse_calls(text, CallFormat.PYTHON) == (call,)
    assert parse_calls("find(from = 'a', to=\"b\")", CallFormat.PYTHON) == (
        Call("find", {"from": "a", "to": "b"}),
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
        ("weather(days=1e999)", "an argument with the number inf"),
        ("weather(days=99999999999999999999)", "an argument with a larger integer"),
        ("weather(days=nan)", "an argument that is not a literal"),
        ('weather(place={"a": 1, "a": 2})', "a twice"),
        (f"weather(days={'[' * 50}1{']' * 50})", "an argument with values nested more than 32 deep"),
        (f"weather(days={'[' * 1_000_000})", "not the syntax of a call"),
        ("[weather(), weather]", "not the syntax of a call"),
        ("weather(), weather()", "not a call"),
        ("", "not the syntax of a call"),
    ],
)
def test_text_that_is_not_a_python_call_is_rejected_with_the_reason(text: str, why: str) -> None:
    assert parse_calls(text, CallFormat.PYTHON) == MalformedCall(why)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not JSON"),
        ('{"name": "a"}', "not an object with name and arguments"),
        ('{"name": 1, "arguments": {}}', "a name that is not a string, or arguments that are not an object"),
        ('{"name": "a", "arguments": {"b": 1e999}}', "an argument with the number inf"),
        ('{"name": "a", "arguments": {"b": [99999999999999999999]}}', "an argument with a larger integer"),
        ('{"name": "a", "arguments": {"b": "\\ud800"}}', "an argument with half of a surrogate pair"),
        ('{"name": "a", "arguments": {"b": {"\\ud800": 1}}}', "an argument with half of a surrogate pair"),
        ('{"name": "a", "arguments": {"b": [{"c": 1, "c": 2}]}}', "c twice"),
        (
            '{"name": "a", "arguments": {"b": ' + "[" * 50 + "]" * 50 + "}}",
            "an argument with values nested more than 32 deep",
        ),
        ("[" * 1_000_000, "not JSON"),
        ('[{"name": "a", "arguments": {}}, 1]', "not an object with name and arguments"),
        ('{"name": "a", "arguments": {"b": 1, "b": 2}}', "b twice"),
        ('{"name": "a", "arguments": {"b": NaN}}', "not JSON"),
    ],
)
def test_text_that_is_not_a_json_call_is_rejected_with_the_reason(text: str, why: str) -> None:
    assert parse_calls(text, CallFormat.JSON) == MalformedCall(why)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "set_ti",
        "set_timer",
        "set_timer(",
        'a(b="c")',
        "None",
        "Noneth",
        '"',
        '"find inn"(a=1',
        "[",
        "[lock(), li",
        "[]",
    ],
)
def test_a_prefix_of_a_python_call_may_become_one(text: str) -> None:
    assert is_call_prefix(text, CallFormat.PYTHON)


@pytest.mark.parametrize(
    "text", ["I am", "Sure!", "1(", '"Yes" I', "[I am", '"' + "so " * 30, "weather.get it", "{"]
)
def test_prose_is_not_a_prefix_of_a_python_call(text: str) -> None:
    assert not is_call_prefix(text, CallFormat.PYTHON)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("{", True), ('{"na', True), ("nul", True), ("null", True), ("no", False), ("[{", True), ("[I", False)],
)
def test_json_calls_begin_with_a_brace_or_a_bracket_or_are_null(text: str, expected: bool) -> None:
    assert is_call_prefix(text, CallFormat.JSON) is expected
