"""The syntax of calls such as `weather(location="Boston")`: scanned from left to right, never evaluated.

It is Python's, for calls with values of JSON alone (literals, `None`, lists and objects), but that names may be words
that Python reserves, such as `from` and `class`, may have hyphens and dots, and, if they have other signs, are quoted:
`"find inn"("e-mail address"="ada@example.org")`. Several calls are in brackets: `[lock(), light(on=False)]`. The time
is in proportion to the length of the text.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final, NamedTuple

from exemplars.core.slot_paths import MAX_DEPTH, TOO_DEEP

Value = str | int | float | bool | None | list[Any] | dict[str, Any]
"""The value of an argument: any value of JSON."""


class NotAValue(NamedTuple):
    """Why an argument is not a value, and the position where that shows."""

    why: str
    position: int


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


class NotACall(NamedTuple):
    """Why a text is not a call, and the position where that shows."""

    why: str
    position: int


class _Parsed(NamedTuple):
    value: Value | NotAValue
    end: int


BROKEN_ESCAPE: Final = "a backslash that begins no character"
"""One of the reasons why a text is not a call."""
NOT_A_LITERAL: Final = "an argument that is not a literal"
"""One of the reasons why an argument is not a value."""
_SYNTAX: Final = "not the syntax of a call"
_SPACE: Final = re.compile(r"\s*")
_CALL_NAME: Final = re.compile(r"[^\W\d][\w/-]*(?:\.[\w/-]+)*")
_ARGUMENT_NAME: Final = re.compile(r"[^\W\d][\w.\-\[\]]*")
_EQUALS: Final = re.compile(r"\s*=(?!=)\s*")
# Python before 3.11.5 mistakes a possessive group in which something can be retried (gh-106052); so the loops over
# quotation marks are not possessive. There is one way to match them, so they take linear time all the same.
_IN_DOUBLE: Final = r'[^"\\]*+(?:\\.[^"\\]*+)*+'
_IN_SINGLE: Final = _IN_DOUBLE.replace('"', "'")
_STRING: Final = re.compile(
    rf'(?P<prefix>[rRuU]?)(?:"""(?P<a>{_IN_DOUBLE}(?:"(?!""){_IN_DOUBLE})*)"""'
    rf"|'''(?P<b>{_IN_SINGLE}(?:'(?!''){_IN_SINGLE})*)'''"
    r'|"(?!"")(?P<c>[^"\\\n]*+(?:\\.[^"\\\n]*+)*+)"'
    r"|'(?!'')(?P<d>[^'\\\n]*+(?:\\.[^'\\\n]*+)*+)')",
    re.DOTALL,
)
_DIGITS: Final = r"\d++(?:_\d++)*+"
_NUMBER: Final = re.compile(
    r"-?\s*(?:0[xX]_?[0-9a-fA-F]++(?:_[0-9a-fA-F]++)*+|0[oO]_?[0-7]++(?:_[0-7]++)*+|0[bB]_?[01]++(?:_[01]++)*+"
    rf"|(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?)(?![\w.])",
    re.ASCII,
)
_CONSTANT: Final = re.compile(r"(True|False|None)(?!\w)")
_CONSTANTS: Final = {"True": True, "False": False, "None": None}
_ESCAPE: Final = re.compile(
    r"\\(?:x(?P<x>[0-9a-fA-F]{2})|(?P<pair>u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|u(?P<u>[0-9a-fA-F]{4})|U(?P<U>[0-9a-fA-F]{8})|N\{(?P<N>[^{}]*)\}|(?P<octal>[0-7]{1,3})|(?P<other>.))",
    re.DOTALL,
)
_SIMPLE_ESCAPES: Final = {
    "\n": "", "\\": "\\", "'": "'", '"': '"', "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r",
    "t": "\t", "v": "\v",
}  # fmt: skip
_BROKEN_ESCAPES: Final = frozenset("xuUN")
_INTEGER: Final = re.compile(r"-?(?:[\d_]+|0[xXoObB].*)", re.ASCII)
_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}


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
    parsed = _parse_call(text, _skip_space(text, 0))
    if isinstance(parsed, NotACall):
        return parsed
    call, end = parsed
    return call if end == len(text) else NotACall("not a call", end)


def parse_call_list_text(text: str) -> tuple[CallText, ...] | NotACall:
    """Parse the text of a call, or of several calls in brackets.

    >>> [call.name for call in parse_call_list_text("[lock(), light(on=False)]")]
    ['lock', 'light']
    """
    opening = _skip_space(text, 0)
    if not text.startswith("[", opening):
        call = parse_call_text(text)
        return call if isinstance(call, NotACall) else (call,)
    calls: list[CallText] = []
    position = _skip_space(text, opening + 1)
    while not text.startswith("]", position):
        parsed = _parse_call(text, position)
        if isinstance(parsed, NotACall):
            return parsed
        call, position = parsed
        calls.append(call)
        if text.startswith(",", position):
            position = _skip_space(text, position + 1)
        elif not text.startswith("]", position):
            return NotACall(_SYNTAX, opening if position == len(text) else position)
    end = _skip_space(text, position + 1)
    return NotACall("not a call", end) if end < len(text) else tuple(calls)


def _parse_call(text: str, start: int) -> tuple[CallText, int] | NotACall:
    """Parse a call; return it, and the position of what follows."""
    name = _parse_name(text, start, _CALL_NAME)
    if name is None:
        return NotACall(_SYNTAX, start if start < len(text) else 0)
    position = opening = _skip_space(text, name.end)
    if not text.startswith("(", position):
        ended = position == len(text)
        return NotACall("not a call" if ended else _SYNTAX, start if ended else position)
    arguments: list[ArgumentText] = []
    position = _skip_space(text, position + 1)
    while not text.startswith(")", position):
        parsed = _parse_argument(text, position)
        if isinstance(parsed, NotACall):
            return parsed._replace(position=opening) if parsed.position == len(text) else parsed
        argument, position = parsed
        arguments.append(argument)
        if text.startswith(",", position):
            position = _skip_space(text, position + 1)
        elif not text.startswith(")", position):
            return NotACall(_SYNTAX, opening if position == len(text) else position)
    return CallText(name.text, tuple(arguments)), _skip_space(text, position + 1)


class _Name(NamedTuple):
    text: str
    end: int


def _parse_name(text: str, start: int, bare: re.Pattern[str]) -> _Name | None:
    """Parse a name, which is bare or quoted."""
    if match := bare.match(text, start):
        return _Name(match[0], match.end())
    quoted = _parse_string(text, start) if text.startswith('"', start) else None
    if quoted is None or isinstance(quoted, NotACall):
        return None
    return _Name(str(quoted.value), quoted.end)


def _skip_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    assert match is not None  # The pattern matches the empty string.
    return match.end()


def _parse_argument(text: str, start: int) -> tuple[ArgumentText, int] | NotACall:
    """Parse an argument; return it, and the position of what follows."""
    name = _parse_name(text, start, _ARGUMENT_NAME)
    equals = None if name is None else _EQUALS.match(text, name.end)
    value_start = start if equals is None else equals.end()
    parsed = _parse_value(text, value_start, 1)
    if isinstance(parsed, NotACall):
        return parsed
    end = _skip_space(text, parsed.end)
    value = parsed.value
    if isinstance(value, NotAValue) or (end < len(text) and text[end] not in ",)"):
        skipped = _skip_expression(text, value_start)
        if isinstance(skipped, NotACall):
            return skipped
        end = _skip_space(text, skipped)
        value = value if isinstance(value, NotAValue) else NotAValue(NOT_A_LITERAL, value_start)
    named = None if name is None or equals is None else name.text
    return ArgumentText(named, value, start, value_start), end


def _parse_value(text: str, start: int, depth: int) -> _Parsed | NotACall:
    """Parse the value that begins at a position. depth: that of its path, from 1.

    The end has no meaning if that is a `NotAValue`.
    """
    if match := _CONSTANT.match(text, start):
        return _Parsed(_CONSTANTS[match[1]], match.end())
    if match := _NUMBER.match(text, start):
        number = _read_number(match[0])
        return _Parsed(NotAValue(NOT_A_LITERAL, start) if number is None else number, match.end())
    if text.startswith(("[", "{"), start):
        return _parse_items(text, start, depth)
    return _parse_strings(text, start) or _Parsed(NotAValue(NOT_A_LITERAL, start), start)


def _parse_items(text: str, start: int, depth: int) -> _Parsed | NotACall:
    """Parse a list or an object."""
    closing = _CLOSING[text[start]]
    items: dict[str | int, Any] = {}
    position = _skip_space(text, start + 1)
    while not text.startswith(closing, position):
        if depth == MAX_DEPTH:
            return _Parsed(NotAValue(f"an argument with {TOO_DEEP}", start), start)
        key: str | int = len(items)
        if closing == "}":
            parsed = _parse_key(text, position)
            if isinstance(parsed, (NotACall, NotAValue)):
                return parsed if isinstance(parsed, NotACall) else _Parsed(parsed, start)
            key, position = parsed
        if key in items:
            return _Parsed(NotAValue(f"{key} twice", position), start)
        item = _parse_value(text, position, depth + 1)
        if isinstance(item, NotACall) or isinstance(item.value, NotAValue):
            return item
        items[key] = item.value
        position = _skip_space(text, item.end)
        if text.startswith(",", position):
            position = _skip_space(text, position + 1)
        elif not text.startswith(closing, position):
            return _Parsed(NotAValue(NOT_A_LITERAL, position), start)
    return _Parsed(items if closing == "}" else list(items.values()), position + 1)  # type: ignore[arg-type]


def _parse_key(text: str, start: int) -> tuple[str, int] | NotAValue | NotACall:
    """Parse the key of an object with the colon after it; return it, and the position of its value."""
    key = _parse_strings(text, start)
    if isinstance(key, NotACall):
        return key
    colon = start if key is None else _skip_space(text, key.end)
    if key is None or not text.startswith(":", colon):
        return NotAValue(NOT_A_LITERAL, colon)
    return str(key.value), _skip_space(text, colon + 1)


def _parse_strings(text: str, start: int) -> _Parsed | NotACall | None:
    """Parse a text in quotes, or several, one after the other, which are one text."""
    parts: list[str] = []
    end = start
    while parsed := _parse_string(text, _skip_space(text, end) if parts else end):
        if isinstance(parsed, NotACall):
            return parsed
        parts.append(str(parsed.value))
        end = parsed.end
    return _Parsed("".join(parts), end) if parts else None


def _parse_string(text: str, start: int) -> _Parsed | NotACall | None:
    """Parse a text in quotes."""
    match = _STRING.match(text, start)
    if match is None:
        return None
    body = next(name for name in "abcd" if match[name] is not None)
    if match["prefix"] and match["prefix"] in "rR":
        return _Parsed(match[body], match.end())
    decoded = _decode_escapes(match[body], match.start(body))
    return decoded if isinstance(decoded, NotACall) else _Parsed(decoded, match.end())


def _decode_escapes(body: str, offset: int) -> str | NotACall:
    """Decode the escapes of a text. offset: its position, for `NotACall`."""
    if "\\" not in body:
        return body
    parts: list[str] = []
    end = 0
    for match in _ESCAPE.finditer(body):
        decoded = _decode_escape(match)
        if decoded is None:
            return NotACall(BROKEN_ESCAPE, offset + match.start())
        parts += (body[end : match.start()], decoded)
        end = match.end()
    return "".join([*parts, body[end:]])


def _decode_escape(match: re.Match[str]) -> str | None:
    """Return the character that an escape stands for; `None`: there is no such character."""
    if pair := match["pair"]:  # As JSON writes characters beyond U+FFFF.
        high, low = int(pair[1:5], 16), int(pair[7:], 16)
        return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    if (name := match["N"]) is not None:
        try:
            return unicodedata.lookup(name)
        except KeyError:
            return None
    if (other := match["other"]) is not None:
        return None if other in _BROKEN_ESCAPES else _SIMPLE_ESCAPES.get(other, f"\\{other}")
    octal = match["octal"]
    code = int(octal, 8) if octal else int(match["x"] or match["u"] or match["U"], 16)
    return None if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF else chr(code)


def _read_number(token: str) -> int | float | None:
    """Read a number; `None`: Python reads none, since it has leading zeros or thousands of digits."""
    digits = "".join(token.split())
    try:
        return int(digits, 0) if _INTEGER.fullmatch(digits) else float(digits)
    except ValueError:
        return None


def _skip_expression(text: str, start: int) -> int | NotACall:
    """Skip what is not a value, to the comma or parenthesis that ends the argument; return its position."""
    open_brackets: list[str] = []
    position = start
    while position < len(text):
        character = text[position]
        if not open_brackets and character in ",)":
            break
        if match := _STRING.match(text, position):
            position = match.end()
            continue
        if character in "\"'":
            return NotACall(_SYNTAX, position)
        if character in _CLOSING:
            open_brackets.append(_CLOSING[character])
        elif character in ")]}" and (not open_brackets or open_brackets.pop() != character):
            return NotACall(_SYNTAX, position)
        position += 1
    if open_brackets or position == start:
        return NotACall(_SYNTAX, position)
    return position
