"""Literal values of arguments: as text in `value` columns, and their JSON types."""

from __future__ import annotations

import math
import re
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

_FORMS: Final = {
    "boolean": re.compile("True|False"),
    "integer": re.compile(r"0|-?[1-9]\d*"),
    "number": re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+(?:e[+-]\d+)?|e[+-]\d+)"),
}
"""How literals that are not text are written."""


def find_excess(value: object) -> tuple[str, str] | None:
    r"""Find what keeps a literal from being stored as text and as JSON: what was found, and what is expected.

    >>> find_excess(2**63), find_excess("\ud800"), find_excess(5)
    (('a larger integer', 'an integer of at most 64 bits'), ('half of a surrogate pair', 'text in Unicode'), None)
    """
    if isinstance(value, int):
        fits = -(2**63) <= value < 2**63
        return None if fits else ("a larger integer", "an integer of at most 64 bits")
    if isinstance(value, float):
        return None if math.isfinite(value) else (f"the number {value}", "a finite number")
    if isinstance(value, str) and re.search("[\ud800-\udfff]", value):
        return "half of a surrogate pair", "text in Unicode"
    return None


def format_literal(value: object) -> str:
    """Format a literal for a `value` column: text unchanged, others as Python writes them.

    >>> [format_literal(value) for value in ("on", True, 5, 2.5)]
    ['on', 'True', '5', '2.5']
    """
    return value if isinstance(value, str) else repr(value)


def parse_literal(text: str, type_: str | None) -> object:
    """Parse a `value` column: the inverse of `format_literal`.

    type_: the JSON type of the parameter; `None`: text that `format_literal` makes of a number or a boolean is
    one. Text that is no value of the type is returned unchanged, so that `is_of_type` can report it.

    >>> parse_literal("5", "integer"), parse_literal("5", "string"), parse_literal("many", "integer")
    (5, '5', 'many')
    >>> [parse_literal(text, None) for text in ("5", "2.5", "1e+16", "True", "007", "five")]
    [5, 2.5, 1e+16, True, '007', 'five']
    """
    if type_ is None:
        type_ = next((name for name, form in _FORMS.items() if form.fullmatch(text)), "string")
    value: object = text
    try:
        if type_ == "integer":
            value = int(text)
        elif type_ == "number":
            value = float(text) if not text.lstrip("+-").isdigit() else int(text)
    except ValueError:
        return text
    if find_excess(value) is not None:
        return text
    if type_ == "boolean" and text in ("True", "False"):
        return text == "True"
    return value


def find_type(value: object) -> str | None:
    """Find the JSON type of a literal; `None` if it is something else.

    >>> find_type(True), find_type(5), find_type("5"), find_type([])
    ('boolean', 'integer', 'string', None)
    """
    return next((name for name in ("boolean", *PYTHON_TYPES) if is_of_type(value, name)), None)


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
