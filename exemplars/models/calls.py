"""Calls as text: `weather(location="Boston")` or JSON; formatted and parsed, never evaluated."""

from __future__ import annotations

import ast
import json
import keyword
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from exemplars.core.literals import Literal, read_literal


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
    CallFormat.PYTHON: re.compile(r"\s*(?:[^\W\d]\w*\s*(?:\(.*)?)?", re.DOTALL),
    CallFormat.JSON: re.compile(r"\s*(?:\{.*|n(?:u(?:ll?)?)?\s*)?", re.DOTALL),
}
"""What a call, or "no call", may begin with."""

_NAMED_KEYWORD: Final = re.compile(
    r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|\b(?=(?:{})\s*=)""".format("|".join(keyword.kwlist))
)
"""A quoted text, or the position before a parameter whose name is a Python keyword, such as SGD's `from`."""
_MARK: Final = "keyword__"
"""A prefix for such a parameter, which lets Python's parser read it."""


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
    try:
        tree = ast.parse(_NAMED_KEYWORD.sub(lambda match: match[1] or _MARK, text), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return MalformedCall("not the syntax of a call")
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        return MalformedCall("not a call")
    if tree.args:
        return MalformedCall("an argument without a name")
    arguments: dict[str, Literal] = {}
    for argument in tree.keywords:
        value = read_literal(argument.value)
        if argument.arg is None or value is None:
            return MalformedCall("an argument that is not a literal")
        slot = argument.arg.removeprefix(_MARK)
        if slot in arguments:
            return MalformedCall(f"{slot} twice")
        arguments[slot] = value
    return Call(tree.func.id, arguments)


def _parse_json(text: str) -> Call | MalformedCall:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return MalformedCall("not JSON")
    if not isinstance(document, dict) or set(document) != {"name", "arguments"}:
        return MalformedCall("not an object with name and arguments")
    name, arguments = document["name"], document["arguments"]
    if not isinstance(name, str) or not isinstance(arguments, dict):
        return MalformedCall("a name that is not a string, or arguments that are not an object")
    if not all(isinstance(value, (str, int, float, bool)) for value in arguments.values()):
        return MalformedCall("an argument that is not a literal")
    return Call(name, arguments)
