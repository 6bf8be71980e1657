"""Calls as text: `weather(location="Boston")` or JSON, written and parsed, never evaluated."""

from __future__ import annotations

import ast
import json
import keyword
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

Literal = str | int | float | bool


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


class Malformed(NamedTuple):
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


def call_text(call: Call | None, form: CallFormat) -> str:
    """The call as a model is to write it; null: nothing is called."""
    if call is None:
        return NO_CALL[form]
    if form == CallFormat.JSON:
        return json.dumps({"name": call.skill, "arguments": dict(call.arguments)}, ensure_ascii=False)
    arguments = ", ".join(f"{slot}={value_text(value, form)}" for slot, value in call.arguments.items())
    return f"{call.skill}({arguments})"


def value_text(value: Literal | None, form: CallFormat) -> str:
    """One value as it stands in a call; null is written as no call is."""
    if value is None:
        return NO_CALL[form]
    if isinstance(value, str) or form == CallFormat.JSON:
        return json.dumps(value, ensure_ascii=False)
    return repr(value)


def parse_call(text: str, form: CallFormat) -> Call | Malformed | None:
    """The inverse of `call_text`; null: nothing is called."""
    text = text.strip()
    if text == NO_CALL[form]:
        return None
    return _parse_python(text) if form == CallFormat.PYTHON else _parse_json(text)


def may_become_call(text: str, form: CallFormat) -> bool:
    """Whether more text could make a call of it, or whether it is one: prose fails at its second word."""
    return _BEGUN[form].fullmatch(text) is not None


def literal(node: ast.expr) -> Literal | None:
    """The value of a literal of Python's syntax; null for anything else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = literal(node.operand)
        return -value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, int, float)):
        return node.value
    return None


def _parse_python(text: str) -> Call | Malformed:
    try:
        tree = ast.parse(_NAMED_KEYWORD.sub(lambda found: found[1] or _MARK, text), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Malformed("not the syntax of a call")
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        return Malformed("no call")
    if tree.args:
        return Malformed("an argument without a name")
    arguments: dict[str, Literal] = {}
    for one in tree.keywords:
        value = literal(one.value)
        if one.arg is None or value is None:
            return Malformed("an argument that is no literal")
        slot = one.arg.removeprefix(_MARK)
        if slot in arguments:
            return Malformed(f"{slot} twice")
        arguments[slot] = value
    return Call(tree.func.id, arguments)


def _parse_json(text: str) -> Call | Malformed:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return Malformed("not JSON")
    if not isinstance(document, dict) or set(document) != {"name", "arguments"}:
        return Malformed("no object with name and arguments")
    name, arguments = document["name"], document["arguments"]
    if not isinstance(name, str) or not isinstance(arguments, dict):
        return Malformed("a name that is no text, or arguments that are no object")
    if not all(isinstance(value, (str, int, float, bool)) for value in arguments.values()):
        return Malformed("an argument that is no literal")
    return Call(name, arguments)
