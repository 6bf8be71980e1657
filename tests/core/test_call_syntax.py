from __future__ import annotations

import ast
import keyword
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.call_syntax import ArgumentText, CallText, parse_call_list_text, parse_call_text
from exemplars.core.value_syntax import NOT_A_LITERAL, NotACall, NotAValue

LITERALS = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.integers(),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
)
VALUES = st.recursive(
    LITERALS,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=5), values, max_size=3),
    max_leaves=8,
)


def parse_value(text: str) -> object:
    """Parse a call with one argument, whose text is given, and return its value."""
    call = parse_call_text(f"f(a={text})")
    assert isinstance(call, CallText), call
    [argument] = call.arguments
    return argument.value


def test_arguments_have_their_positions_in_code_points() -> None:
    assert parse_call_text(' fly( to = "Zürich", class=2 ,) ') == CallText(
        "fly", (ArgumentText("to", "Zürich", 6, 11), ArgumentText("class", 2, 21, 27))
    )


@pytest.mark.parametrize("name", [*keyword.kwlist, "inn-area", "dishes[0].quantity", "größe"])
def test_a_name_may_be_a_word_that_python_reserves_or_a_path(name: str) -> None:
    assert parse_call_text(f'f({name}="x")') == CallText("f", (ArgumentText(name, "x", 2, 3 + len(name)),))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'it'", "it"),
        ("\"a\" 'b'", "ab"),
        ('"""a\n"b" c"""', 'a\n"b" c'),
        ('""', ""),
        (r'r"D:\docs"', r"D:\docs"),
        (r'"C:\docs\q"', r"C:\docs\q"),
        (r'"\"\\\n\x41\u00e9\101\N{BULLET}"', '"\\\nAéA•'),
        (r'"\ud83d\ude00 \U0001F600"', "😀 😀"),
        ("-5", -5),
        ("1_000", 1000),
        ("0x10", 16),
        ("-2.5", -2.5),
        (".5", 0.5),
        ("1e5", 100000.0),
        ("True", True),
        ("None", None),
        ('["red", "blue"]', ["red", "blue"]),
        ("[ 1 , [ ] , { } , ]", [1, [], {}]),
        ('[{"dish": "soup", \'count\': 2}, None]', [{"dish": "soup", "count": 2}, None]),
    ],
)
def test_a_value_is_a_literal_or_a_list_or_an_object_of_them(text: str, value: object) -> None:
    assert parse_value(text) == value
    assert type(parse_value(text)) is type(value)


@pytest.mark.parametrize(
    ("text", "why", "position"),
    [
        ("home()", NOT_A_LITERAL, 4),
        ("“Rome”", NOT_A_LITERAL, 4),
        ("1 + 1", NOT_A_LITERAL, 4),
        ("[1] + [2]", NOT_A_LITERAL, 4),
        ("-True", NOT_A_LITERAL, 4),
        ("007", NOT_A_LITERAL, 4),
        ("--5", NOT_A_LITERAL, 4),
        ('f"x"', NOT_A_LITERAL, 4),
        ("(1, 2)", NOT_A_LITERAL, 4),
        ("[1, home()]", NOT_A_LITERAL, 8),
        ("[1 2]", NOT_A_LITERAL, 7),
        ('{"a"}', NOT_A_LITERAL, 8),
        ("{1: 2}", NOT_A_LITERAL, 5),
        ('{"a": 1, "a": 2}', "a twice", 18),
        ("[" * 50 + "1" + "]" * 50, "an argument with values nested more than 32 deep", 35),
    ],
)
def test_what_is_not_a_value_has_a_reason_and_the_position_where_that_shows(
    text: str, why: str, position: int
) -> None:
    assert parse_value(text) == NotAValue(why, position)


@given(VALUES)
def test_a_value_as_python_writes_it_has_its_value(value: object) -> None:
    assert parse_value(repr(value)) == value


def test_names_with_other_signs_are_quoted() -> None:
    assert parse_call_text('"find inn"("e-mail address" = "a", "class"=2)') == CallText(
        "find inn", (ArgumentText("e-mail address", "a", 11, 30), ArgumentText("class", 2, 35, 43))
    )
    assert parse_call_text("calendar/new(to=1)") == CallText("calendar/new", (ArgumentText("to", 1, 13, 16),))


def test_several_calls_are_in_brackets() -> None:
    lock, light = CallText("lock", ()), CallText("light", (ArgumentText("on", False, 15, 18),))
    assert parse_call_list_text(" [ lock(), light(on=False) , ] ") == (
        lock,
        light._replace(arguments=(ArgumentText("on", False, 17, 20),)),
    )
    assert parse_call_list_text("[]") == ()
    assert parse_call_list_text("lock()") == (lock,)


@pytest.mark.parametrize(
    ("text", "why", "position"),
    [
        ("[lock()", "not the syntax of a call", 0),
        ("[lock(), ", "not the syntax of a call", 0),
        ("[lock() light()]", "not the syntax of a call", 8),
        ("[lock()] and more", "not a call", 9),
        ("[1, 2]", "not the syntax of a call", 1),
        ('["a"]', "not the syntax of a call", 4),
        ("lock(), light()", "not a call", 6),
    ],
)
def test_a_text_that_is_not_a_list_of_calls_has_the_position_where_that_shows(
    text: str, why: str, position: int
) -> None:
    assert parse_call_list_text(text) == NotACall(why, position)


@given(st.text(alphabet="\"'\\nxu0aN{ré ", max_size=12))
def test_a_text_in_quotes_has_the_value_that_it_has_in_python(text: str) -> None:
    call = parse_call_text(f"f(a={text})")
    try:
        expected = ast.literal_eval(text.strip())
    except (SyntaxError, ValueError):
        expected = None
    if isinstance(call, CallText) and isinstance(expected, str) and len(call.arguments) == 1:
        assert call.arguments[0].value == expected


@pytest.mark.parametrize(
    ("text", "why", "position"),
    [
        ("", "not the syntax of a call", 0),
        ("I will look it up.", "not the syntax of a call", 2),
        ("weather", "not a call", 0),
        ("weather(", "not the syntax of a call", 7),
        ('weather(location="Rome"', "not the syntax of a call", 7),
        ('weather(location="Rome)', "not the syntax of a call", 17),
        ("weather(location='it's')", "not the syntax of a call", 22),
        ("weather(location=)", "not the syntax of a call", 17),
        ("weather(,)", "not the syntax of a call", 8),
        ("weather(a=(1])", "not the syntax of a call", 12),
        ('open(a="x"), open(a="y")', "not a call", 11),
        ("weather().location", "not a call", 9),
        (r'open(path="C:\Users")', "a backslash that begins no character", 13),
        (r'open(path="\ud83d")', "a backslash that begins no character", 11),
    ],
)
def test_a_text_that_is_not_a_call_has_the_position_where_that_shows(
    text: str, why: str, position: int
) -> None:
    assert parse_call_text(text) == NotACall(why, position)


@pytest.mark.parametrize(
    ("start", "unit", "end"),
    [
        ("f(", "(", ""),
        ("f(a=", "-", "1)"),
        ("f(a=", "1_", "1)"),
        ("f(a=", "1", ")"),
        ("f(a=0x", "f", ")"),
        ('f(a="', "\\\\", '"'),
        ("f(a=", "'", ""),
        ("f(a=", 'x" ', ""),
        ("f(a=", "[", ""),
        ("f(a=", '{"a":', ""),
        ("f(a=[", "1,", "])"),
        ("f(a=[", '"x" ', "])"),
        ("f(", '"x",', ")"),
        ("[", "f(),", "]"),
        ("[", "f(a=[1,", ""),
        ("f(", "a.", "  )"),
        ("f(", "a", ""),
        ("f", " ", "x"),
    ],
)
def test_a_long_text_takes_time_in_proportion_to_its_length(start: str, unit: str, end: str) -> None:
    begin = time.process_time()
    parse_call_list_text(start + unit * 100_000 + end)
    assert time.process_time() - begin < 60
