"""Calls as text: `weather(location="Boston")` or JSON, written and parsed, never evaluated."""

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
    """How a call is written."""

    PYTHON = "python"
    """`weather(location="Boston")`; no call is `None`."""
    JSON = "json"
    """`{"name": "weather", "arguments": {"location": "Boston"}}`; no call is `null`."""


class Call(NamedTuple):
    """A skill and its arguments, by slot."""

    skill: str
    arguments: Mapping[str, Literal]


class MalformedCall(NamedTuple):
    """A text that is no call."""

    why: str


NO_CALL: Final = {CallFormat.PYTHON: "None", CallFormat.JSON: "null"}
"""How it is written that nothing is called."""


_BEGUN: Final = {
    CallFormat.PYTHON: re.compile(r"\s*(?:[^\W\d]\w*\s*(?:\(.*)?)?", re.DOTALL),
    CallFormat.JSON: re.compile(r"\s*(?:\{.*|n(?:u(?:ll?)?)?\s*)?", re.DOTALL),
}
"""What a call, or no call, begins with."""

_NAMED_KEYWORD: Final = re.compile(
    r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|\b(?=(?:{})\s*=)""".format("|".join(keyword.kwlist))
)
"""A text, or the place before a parameter that is called like a keyword of Python's, such as SGD's `from`."""
_MARK: Final = "keyword__"
"""Stands before such a parameter while Python's parser reads it."""


def format_call(call: Call | None, form: CallFormat) -> str:
    """The call as a model is to write it; null: nothing is called."""
    if call is None:
        return NO_CALL[form]
    if form == CallFormat.JSON:
        return json.dumps({"name": call.skill, "arguments": dict(call.arguments)}, ensure_ascii=False)
    arguments = ", ".join(f"{slot}={format_value(value, form)}" for slot, value in call.arguments.items())
    return f"{call.skill}({arguments})"


def format_value(value: Literal | None, form: CallFormat) -> str:
    """One value as it stands in a call; null is written as no call is."""
    if value is None:
        return NO_CALL[form]
    if isinstance(value, str) or form == CallFormat.JSON:
        return json.dumps(value, ensure_ascii=False)
    return repr(value)


def parse_call(text: str, form: CallFormat) -> Call | MalformedCall | None:
    """The inverse of `format_call`; null: nothing is called."""
    text = text.strip()
    if text == NO_CALL[form]:
        return None
    return _parse_python(text) if form == CallFormat.PYTHON else _parse_json(text)


def is_call_prefix(text: str, form: CallFormat) -> bool:
    """Whether more text could make a call of it, or whether it is one: prose fails at its second word."""
    return _BEGUN[form].fullmatch(text) is not None


def _parse_python(text: str) -> Call | MalformedCall:
    try:
        tree = ast.parse(_NAMED_KEYWORD.sub(lambda found: found[1] or _MARK, text), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return MalformedCall("not the syntax of a call")
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        return MalformedCall("no call")
    if tree.args:
        return MalformedCall("an argument without a name")
    arguments: dict[str, Literal] = {}
    for one in tree.keywords:
        value = read_literal(one.value)
        if one.arg is None or value is None:
            return MalformedCall("an argument that is no literal")
        slot = one.arg.removeprefix(_MARK)
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
        return MalformedCall("no object with name and arguments")
    name, arguments = document["name"], document["arguments"]
    if not isinstance(name, str) or not isinstance(arguments, dict):
        return MalformedCall("a name that is no text, or arguments that are no object")
    if not all(isinstance(value, (str, int, float, bool)) for value in arguments.values()):
        return MalformedCall("an argument that is no literal")
    return Call(name, arguments)
