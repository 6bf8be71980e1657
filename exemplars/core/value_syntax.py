"""The syntax of values in calls: literals of Python, `None`, lists and objects; scanned, never evaluated."""

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


class NotACall(NamedTuple):
    """Why a text is not a call, and the position where that shows."""

    why: str
    position: int


class ParsedValue(NamedTuple):
    """A value, and the position after it."""

    value: Value | NotAValue
    end: int


BROKEN_ESCAPE: Final = "a backslash that begins no character"
"""One of the reasons why a text is not a call."""
NOT_A_LITERAL: Final = "an argument that is not a literal"
"""One of the reasons why an argument is not a value."""
_SPACE: Final = re.compile(r"\s*")
# Python before 3.11.5 mistakes a possessive group in which something can be retried (gh-106052); so the loops over
# quotation marks are not possessive. There is one way to match them, so they take linear time all the same.
_IN_DOUBLE: Final = r'[^"\\]*+(?:\\.[^"\\]*+)*+'
_IN_SINGLE: Final = _IN_DOUBLE.replace('"', "'")
STRING: Final = re.compile(
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
CLOSING: Final = {"(": ")", "[": "]", "{": "}"}


def skip_space(text: str, position: int) -> int:
    """Return the position of the first code point, from `position` on, that is not white space."""
    match = _SPACE.match(text, position)
    assert match is not None  # The pattern matches the empty string.
    return match.end()


def parse_value(text: str, start: int, depth: int) -> ParsedValue | NotACall:
    """Parse the value that begins at a position. depth: that of its path, from 1.

    The end has no meaning if that is a `NotAValue`.
    """
    if match := _CONSTANT.match(text, start):
        return ParsedValue(_CONSTANTS[match[1]], match.end())
    if match := _NUMBER.match(text, start):
        number = _read_number(match[0])
        return ParsedValue(NotAValue(NOT_A_LITERAL, start) if number is None else number, match.end())
    if text.startswith(("[", "{"), start):
        return _parse_items(text, start, depth)
    return _parse_strings(text, start) or ParsedValue(NotAValue(NOT_A_LITERAL, start), start)


def _parse_items(text: str, start: int, depth: int) -> ParsedValue | NotACall:
    """Parse a list or an object."""
    closing = CLOSING[text[start]]
    items: dict[str | int, Any] = {}
    position = skip_space(text, start + 1)
    while not text.startswith(closing, position):
        if depth == MAX_DEPTH:
            return ParsedValue(NotAValue(f"an argument with {TOO_DEEP}", start), start)
        key: str | int = len(items)
        if closing == "}":
            parsed = _parse_key(text, position)
            if isinstance(parsed, (NotACall, NotAValue)):
                return parsed if isinstance(parsed, NotACall) else ParsedValue(parsed, start)
            key, position = parsed
        if key in items:
            return ParsedValue(NotAValue(f"{key} twice", position), start)
        item = parse_value(text, position, depth + 1)
        if isinstance(item, NotACall) or isinstance(item.value, NotAValue):
            return item
        items[key] = item.value
        position = skip_space(text, item.end)
        if text.startswith(",", position):
            position = skip_space(text, position + 1)
        elif not text.startswith(closing, position):
            return ParsedValue(NotAValue(NOT_A_LITERAL, position), start)
    return ParsedValue(items if closing == "}" else list(items.values()), position + 1)  # type: ignore[arg-type]


def _parse_key(text: str, start: int) -> tuple[str, int] | NotAValue | NotACall:
    """Parse the key of an object with the colon after it; return it, and the position of its value."""
    key = _parse_strings(text, start)
    if isinstance(key, NotACall):
        return key
    colon = start if key is None else skip_space(text, key.end)
    if key is None or not text.startswith(":", colon):
        return NotAValue(NOT_A_LITERAL, colon)
    return str(key.value), skip_space(text, colon + 1)


def _parse_strings(text: str, start: int) -> ParsedValue | NotACall | None:
    """Parse a text in quotes, or several, one after the other, which are one text."""
    parts: list[str] = []
    end = start
    while parsed := parse_string(text, skip_space(text, end) if parts else end):
        if isinstance(parsed, NotACall):
            return parsed
        parts.append(str(parsed.value))
        end = parsed.end
    return ParsedValue("".join(parts), end) if parts else None


def parse_string(text: str, start: int) -> ParsedValue | NotACall | None:
    """Parse a text in quotes."""
    match = STRING.match(text, start)
    if match is None:
        return None
    body = next(name for name in "abcd" if match[name] is not None)
    if match["prefix"] and match["prefix"] in "rR":
        return ParsedValue(match[body], match.end())
    decoded = _decode_escapes(match[body], match.start(body))
    return decoded if isinstance(decoded, NotACall) else ParsedValue(decoded, match.end())


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
