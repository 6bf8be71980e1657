"""Literal values: read from Python syntax, written to and read from `value` columns."""

from __future__ import annotations

import ast

Literal = str | int | float | bool
"""A value of a call's argument."""


def read_literal(node: ast.expr) -> Literal | None:
    """Return the value of a literal of Python's syntax; `None` for any other expression."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = read_literal(node.operand)
        return -value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, int, float)):
        return node.value
    return None


def format_literal(value: object) -> str:
    """Format a literal for a `value` column: text unchanged, `True`, `False`, `5`, `2.5`."""
    return value if isinstance(value, str) else repr(value)


def parse_literal(text: str, type_: str | None) -> object:
    """Parse what `format_literal` wrote for a parameter of that JSON type; return text that does not fit."""
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
