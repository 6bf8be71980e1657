"""Calls as text: `weather(location="Boston")` or JSON; formatted and parsed, never evaluated."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from exemplars.core.call_syntax import NotACall, parse_call_text
from exemplars.core.literals import Literal, find_excess


class CallFormat(StrEnum):
    """The syntax of a call."""

    PYTHON = "python"
    """`weather(location="Boston")`; no call is `None`."""
    JSON = "json"
    """`{"name": "weather", "arguments": {"location": "Boston"}}`; no call is `null`."""


class Call(NamedTuple):
    """A skill and its arguments, by slot."""

    skill: str
    arguments: Mapping[str, Literal]


class MalformedCall(NamedTuple):
    """A text that is not a call."""

    why: str


NO_CALL: Final = {CallFormat.PYTHON: "None", CallFormat.JSON: "null"}
"""How "no call" is spelled in each format."""

_PREFIXES: Final = {
    CallFormat.PYTHON: re.compile(r"\s*(?:[^\W\d][\w.-]*\s*(?:\(.*)?)?", re.DOTALL),
    CallFormat.JSON: re.compile(r"\s*(?:\{.*|n(?:u(?:ll?)?)?\s*)?", re.DOTALL),
}
"""What a call, or "no call", may begin with."""


def format_call(call: Call | None, form: CallFormat) -> str:
    """Format a call as a model should write it; `None` is "no call".

    >>> format_call(Call("weather", {"location": "Boston", "days": 3}), CallFormat.PYTHON)
    'weather(location="Boston", days=3)'
    >>> format_call(None, CallFormat.JSON)
    'null'
    """
    if call is None:
        return NO_CALL[form]
    if form == CallFormat.JSON:
        return json.dumps({"name": call.skill, "arguments": dict(call.arguments)}, ensure_ascii=False)
    arguments = ", ".join(f"{slot}={format_value(value, form)}" for slot, value in call.arguments.items())
    return f"{call.skill}({arguments})"


def format_value(value: Literal | None, form: CallFormat) -> str:
    """Format a value as it is written in a call; `None` is spelled like "no call"."""
    if value is None:
        return NO_CALL[form]
    if isinstance(value, str) or form == CallFormat.JSON:
        return json.dumps(value, ensure_ascii=False)
    return repr(value)


def parse_call(text: str, form: CallFormat) -> Call | MalformedCall | None:
    """Parse a call: the inverse of `format_call`. Returns `None` for "no call".

    >>> parse_call('weather(location="Boston", days=3)', CallFormat.PYTHON)
    Call(skill='weather', arguments={'location': 'Boston', 'days': 3})
    >>> parse_call("I will look it up.", CallFormat.PYTHON)
    MalformedCall(why='not the syntax of a call')
    """
    text = text.strip()
    if text == NO_CALL[form]:
        return None
    return _parse_python(text) if form == CallFormat.PYTHON else _parse_json(text)


def is_call_prefix(text: str, form: CallFormat) -> bool:
    """Return whether a text is a call or a prefix of one; prose is ruled out at its second word."""
    return _PREFIXES[form].fullmatch(text) is not None


def _parse_python(text: str) -> Call | MalformedCall:
    parsed = parse_call_text(text)
    if isinstance(parsed, NotACall):
        return MalformedCall(parsed.why)
    arguments: dict[str, Literal] = {}
    for name, value, *_ in parsed.arguments:
        if value is None or find_excess(value) is not None:
            return MalformedCall("an argument that is not a literal")
        if name is None:
            return MalformedCall("an argument without a name")
        if name in arguments:
            return MalformedCall(f"{name} twice")
        arguments[name] = value
    return Call(parsed.name, arguments)


def _parse_json(text: str) -> Call | MalformedCall:
    try:
        document = json.loads(text, object_pairs_hook=_build_object, parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        return MalformedCall("not JSON")
    if not isinstance(document, dict) or set(document) != {"name", "arguments"}:
        return MalformedCall("not an object with name and arguments")
    name, arguments = document["name"], document["arguments"]
    if isinstance(arguments, _Repeated):
        return MalformedCall(f"{arguments.key} twice")
    if not isinstance(name, str) or not isinstance(arguments, dict):
        return MalformedCall("a name that is not a string, or arguments that are not an object")
    if not all(_is_literal(value) for value in arguments.values()):
        return MalformedCall("an argument that is not a literal")
    return Call(name, arguments)


class _Repeated(NamedTuple):
    """A JSON object with a key that it has twice."""

    key: str


def _build_object(pairs: list[tuple[str, object]]) -> dict[str, object] | _Repeated:
    members: dict[str, object] = {}
    for key, value in pairs:
        if key in members:
            return _Repeated(key)
        members[key] = value
    return members


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _is_literal(value: object) -> bool:
    return isinstance(value, Literal) and find_excess(value) is None
