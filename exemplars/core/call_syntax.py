"""The syntax of calls such as `weather(location="Boston")`: scanned from left to right, never evaluated.

It is Python's, for calls with values of JSON alone (literals, `None`, lists and objects), but that names may be words
that Python reserves, such as `from` and `class`, may have hyphens and dots, and, if they have other signs, are quoted:
`"find inn"("e-mail address"="ada@example.org")`. Several calls are in brackets: `[lock(), light(on=False)]`. The time
is in proportion to the length of the text.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from exemplars.core.value_syntax import (
    CLOSING,
    NOT_A_LITERAL,
    STRING,
    NotACall,
    NotAValue,
    Value,
    parse_string,
    parse_value,
    skip_space,
)


class ArgumentText(NamedTuple):
    """An argument as it is written in a call. Positions count code points, from 0."""

    name: str | None
    """`None`: it has no name."""
    value: Value | NotAValue
    start: int
    value_start: int


class CallText(NamedTuple):
    """A call as it is written: its name and all its arguments, with repetitions."""

    name: str
    arguments: tuple[ArgumentText, ...]


_SYNTAX: Final = "not the syntax of a call"
_CALL_NAME: Final = re.compile(r"[^\W\d][\w/-]*(?:\.[\w/-]+)*")
_ARGUMENT_NAME: Final = re.compile(r"[^\W\d][\w.\-\[\]]*")
_EQUALS: Final = re.compile(r"\s*=(?!=)\s*")


def is_bare_call_name(name: str) -> bool:
    """Return whether the name of a function is written without quotes."""
    return _CALL_NAME.fullmatch(name) is not None


def is_bare_argument_name(name: str) -> bool:
    """Return whether the name of an argument is written without quotes."""
    return _ARGUMENT_NAME.fullmatch(name) is not None


def parse_call_text(text: str) -> CallText | NotACall:
    """Parse the text of a call.

    >>> parse_call_text('fly(from="Oslo")')
    CallText(name='fly', arguments=(ArgumentText(name='from', value='Oslo', start=4, value_start=9),))
    >>> parse_call_text("fly(")
    NotACall(why='not the syntax of a call', position=3)
    """
    parsed = _parse_call(text, skip_space(text, 0))
    if isinstance(parsed, NotACall):
        return parsed
    call, end = parsed
    return call if end == len(text) else NotACall("not a call", end)


def parse_call_list_text(text: str) -> tuple[CallText, ...] | NotACall:
    """Parse the text of a call, or of several calls in brackets.

    >>> [call.name for call in parse_call_list_text("[lock(), light(on=False)]")]
    ['lock', 'light']
    """
    opening = skip_space(text, 0)
    if not text.startswith("[", opening):
        call = parse_call_text(text)
        return call if isinstance(call, NotACall) else (call,)
    calls: list[CallText] = []
    position = skip_space(text, opening + 1)
    while not text.startswith("]", position):
        parsed = _parse_call(text, position)
        if isinstance(parsed, NotACall):
            return parsed
        call, position = parsed
        calls.append(call)
        if text.startswith(",", position):
            position = skip_space(text, position + 1)
        elif not text.startswith("]", position):
            return NotACall(_SYNTAX, opening if position == len(text) else position)
    end = skip_space(text, position + 1)
    return NotACall("not a call", end) if end < len(text) else tuple(calls)


def _parse_call(text: str, start: int) -> tuple[CallText, int] | NotACall:
    """Parse a call; return it, and the position of what follows."""
    name = _parse_name(text, start, _CALL_NAME)
    if name is None:
        return NotACall(_SYNTAX, start if start < len(text) else 0)
    position = opening = skip_space(text, name.end)
    if not text.startswith("(", position):
        ended = position == len(text)
        return NotACall("not a call" if ended else _SYNTAX, start if ended else position)
    arguments: list[ArgumentText] = []
    position = skip_space(text, position + 1)
    while not text.startswith(")", position):
        parsed = _parse_argument(text, position)
        if isinstance(parsed, NotACall):
            return parsed._replace(position=opening) if parsed.position == len(text) else parsed
        argument, position = parsed
        arguments.append(argument)
        if text.startswith(",", position):
            position = skip_space(text, position + 1)
        elif not text.startswith(")", position):
            return NotACall(_SYNTAX, opening if position == len(text) else position)
    return CallText(name.text, tuple(arguments)), skip_space(text, position + 1)


class _Name(NamedTuple):
    text: str
    end: int


def _parse_name(text: str, start: int, bare: re.Pattern[str]) -> _Name | None:
    """Parse a name, which is bare or quoted."""
    if match := bare.match(text, start):
        return _Name(match[0], match.end())
    quoted = parse_string(text, start) if text.startswith('"', start) else None
    if quoted is None or isinstance(quoted, NotACall):
        return None
    return _Name(str(quoted.value), quoted.end)


def _parse_argument(text: str, start: int) -> tuple[ArgumentText, int] | NotACall:
    """Parse an argument; return it, and the position of what follows."""
    name = _parse_name(text, start, _ARGUMENT_NAME)
    equals = None if name is None else _EQUALS.match(text, name.end)
    value_start = start if equals is None else equals.end()
    parsed = parse_value(text, value_start, 1)
    if isinstance(parsed, NotACall):
        return parsed
    end = skip_space(text, parsed.end)
    value = parsed.value
    if isinstance(value, NotAValue) or (end < len(text) and text[end] not in ",)"):
        skipped = _skip_expression(text, value_start)
        if isinstance(skipped, NotACall):
            return skipped
        end = skip_space(text, skipped)
        value = value if isinstance(value, NotAValue) else NotAValue(NOT_A_LITERAL, value_start)
    named = None if name is None or equals is None else name.text
    return ArgumentText(named, value, start, value_start), end


def _skip_expression(text: str, start: int) -> int | NotACall:
    """Skip what is not a value, to the comma or parenthesis that ends the argument; return its position."""
    open_brackets: list[str] = []
    position = start
    while position < len(text):
        character = text[position]
        if not open_brackets and character in ",)":
            break
        if match := STRING.match(text, position):
            position = match.end()
            continue
        if character in "\"'":
            return NotACall(_SYNTAX, position)
        if character in CLOSING:
            open_brackets.append(CLOSING[character])
        elif character in ")]}" and (not open_brackets or open_brackets.pop() != character):
            return NotACall(_SYNTAX, position)
        position += 1
    if open_brackets or position == start:
        return NotACall(_SYNTAX, position)
    return position
