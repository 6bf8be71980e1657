"""The syntax of calls such as `weather(location="Boston")`: scanned from left to right, never evaluated.

It is Python's, for a call with literals alone, but that names may be words that Python reserves, such as
`from` and `class`, and may have hyphens and dots. The time is in proportion to the length of the text.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

from exemplars.core.literals import Literal


class ArgumentText(NamedTuple):
    """An argument as it is written in a call. Positions count code points, from 0."""

    name: str | None
    """`None`: it has no name."""
    value: Literal | None
    """`None`: it is not a literal."""
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


class _Value(NamedTuple):
    literal: Literal | None
    end: int


BROKEN_ESCAPE: Final = "a backslash that begins no character"
"""One of the reasons why a text is not a call."""
_SPACE: Final = re.compile(r"\s*")
_CALL_NAME: Final = re.compile(r"[^\W\d][\w-]*(?:\.[\w-]+)*")
_ARGUMENT_NAME: Final = re.compile(r"([^\W\d][\w.\-\[\]]*)\s*=(?!=)\s*")
_STRING: Final = re.compile(
    r'(?P<prefix>[rRuU]?)(?:"""(?P<a>(?:[^\\"]|\\.|"(?!""))*+)"""|\'\'\'(?P<b>(?:[^\\\']|\\.|\'(?!\'\'))*+)\'\'\''
    r'|"(?!"")(?P<c>(?:[^"\\\n]|\\.)*+)"|\'(?!\'\')(?P<d>(?:[^\'\\\n]|\\.)*+)\')',
    re.DOTALL,
)
_NUMBER: Final = re.compile(
    r"-?\s*(?:0[xX](?:_?[0-9a-fA-F])++|0[oO](?:_?[0-7])++|0[bB](?:_?[01])++"
    r"|(?:\d(?:_?\d)*+\.?(?:\d(?:_?\d)*+)?|\.\d(?:_?\d)*+)(?:[eE][+-]?\d(?:_?\d)*+)?)(?![\w.])",
    re.ASCII,
)
_BOOLEAN: Final = re.compile(r"(True|False)(?!\w)")
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


def parse_call_text(text: str) -> CallText | NotACall:
    """Parse the text of a call.

    >>> parse_call_text('fly(from="Oslo")')
    CallText(name='fly', arguments=(ArgumentText(name='from', value='Oslo', start=4, value_start=9),))
    >>> parse_call_text("fly(")
    NotACall(why='not the syntax of a call', position=3)
    """
    head = _CALL_NAME.match(text, _skip_space(text, 0))
    if head is None:
        return NotACall("not the syntax of a call", 0)
    position = opening = _skip_space(text, head.end())
    if not text.startswith("(", position):
        ended = position == len(text)
        return NotACall(
            "not a call" if ended else "not the syntax of a call", head.start() if ended else position
        )
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
            return NotACall("not the syntax of a call", opening if position == len(text) else position)
    end = _skip_space(text, position + 1)
    if end < len(text):
        return NotACall("not a call", end)
    return CallText(head[0], tuple(arguments))


def _skip_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    assert match is not None  # The pattern matches the empty string.
    return match.end()


def _parse_argument(text: str, start: int) -> tuple[ArgumentText, int] | NotACall:
    """Parse an argument; return it, and the position of what follows."""
    name = _ARGUMENT_NAME.match(text, start)
    value_start = name.end() if name else start
    value = _parse_literal(text, value_start) or _skip_expression(text, value_start)
    if isinstance(value, NotACall):
        return value
    argument = ArgumentText(name[1] if name else None, value.literal, start, value_start)
    return argument, _skip_space(text, value.end)


def _parse_literal(text: str, start: int) -> _Value | NotACall | None:
    """Parse a literal that ends the argument; `None`: it is something else."""
    value: _Value | NotACall | None
    if match := _BOOLEAN.match(text, start):
        value = _Value(match[1] == "True", match.end())
    elif match := _NUMBER.match(text, start):
        value = _Value(_read_number(match[0]), match.end())
    else:
        value = _parse_strings(text, start)
    if value is None or isinstance(value, NotACall):
        return value
    end = _skip_space(text, value.end)
    return value if end == len(text) or text[end] in ",)" else None


def _parse_strings(text: str, start: int) -> _Value | NotACall | None:
    """Parse a text in quotes, or several, one after the other, which are one text."""
    parts: list[str] = []
    end = start
    while match := _STRING.match(text, _skip_space(text, end) if parts else end):
        body = next(name for name in "abcd" if match[name] is not None)
        if match["prefix"] in "rR" and match["prefix"]:
            parts.append(match[body])
        else:
            decoded = _decode_escapes(match[body], match.start(body))
            if isinstance(decoded, NotACall):
                return decoded
            parts.append(decoded)
        end = match.end()
    return _Value("".join(parts), end) if parts else None


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


def _skip_expression(text: str, start: int) -> _Value | NotACall:
    """Skip what is not a literal, to the comma or parenthesis that ends the argument."""
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
            return NotACall("not the syntax of a call", position)
        if character in _CLOSING:
            open_brackets.append(_CLOSING[character])
        elif character in ")]}" and (not open_brackets or open_brackets.pop() != character):
            return NotACall("not the syntax of a call", position)
        position += 1
    if open_brackets or position == start:
        return NotACall("not the syntax of a call", position)
    return _Value(None, position)
