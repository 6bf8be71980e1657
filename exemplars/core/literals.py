"""Literal values of arguments: as Python syntax, as text in `value` columns, and their JSON types."""

from __future__ import annotations

import ast
from typing import Final

Literal = str | int | float | bool
"""A value of a call's argument."""

PYTHON_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
"""The Python types of the JSON types that a parameter may have."""


def read_literal(node: ast.expr) -> Literal | None:
    """Return the value of a Python literal, or `None` for any other expression.

    >>> read_literal(ast.parse("-2.5", mode="eval").body)
    -2.5
    """
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = read_literal(node.operand)
        return -value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, int, float)):
        return node.value
    return None


def format_literal(value: object) -> str:
    """Format a literal for a `value` column: text unchanged, others as Python writes them.

    >>> [format_literal(value) for value in ("on", True, 5, 2.5)]
    ['on', 'True', '5', '2.5']
    """
    return value if isinstance(value, str) else repr(value)


def parse_literal(text: str, type_: str | None) -> object:
    """Parse a `value` column: the inverse of `format_literal`.

    type_: the JSON type of the parameter; `None` leaves the text as it is. Text that is no value of the
    type is returned unchanged, so that `is_of_type` can report it.

    >>> parse_literal("5", "integer"), parse_literal("5", "string"), parse_literal("many", "integer")
    (5, '5', 'many')
    """
    try:
        if type_ == "integer":
            return int(text)
        if type_ == "number":
            return float(text) if not text.lstrip("+-").isdigit() else int(text)
    except ValueError:
        return text
    if type_ == "boolean" and text in ("True", "False"):
        return text == "True"
    return text


def is_of_type(value: object, type_: str | None) -> bool:
    """Return whether a value is of a JSON type; any value is of a type that is `None` or not listed.

    Unlike in Python, a boolean is not an integer.

    >>> is_of_type(5, "number"), is_of_type(True, "integer"), is_of_type("5", None)
    (True, False, True)
    """
    if type_ not in PYTHON_TYPES:
        return True
    if isinstance(value, bool):
        return type_ == "boolean"
    return isinstance(value, PYTHON_TYPES[type_])
