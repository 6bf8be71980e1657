"""JSON Schemas that say no more than one type and which texts are admitted, as those of most parameters do.

jsonschema checks them correctly, too, and takes many times as long. A test holds these checks against it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Number
from typing import Any, Final, NamedTuple

_CHECKS: Final[Mapping[Any, Callable[[Any], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "number": lambda value: isinstance(value, Number) and not isinstance(value, bool),
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool))
        or (isinstance(value, float) and value.is_integer())
    ),
}
_TEXTS: Final = ("description", "title")


class PlainValidator(NamedTuple):
    """Validates the arguments of a parameter whose schema is plain."""

    name: str
    schema: Mapping[str, Any]

    def is_valid(self, arguments: Mapping[str, Any]) -> bool:
        """Return whether the argument of the parameter is valid; it may be missing."""
        if self.name not in arguments:
            return True
        value = arguments[self.name]
        return _CHECKS[self.schema["type"]](value) and (
            "enum" not in self.schema or value in self.schema["enum"]
        )


def is_plain(schema: Any) -> bool:
    """Return whether a schema of a parameter is plain; then it is also a valid JSON Schema.

    >>> is_plain({"type": "string", "enum": ["a", "b"], "x-dontcare": True}), is_plain({"type": "array"})
    (True, False)
    """
    if not isinstance(schema, dict):
        return False
    named = {key for key in schema if not key.startswith("x-")}
    type_ = schema.get("type")
    return (
        named <= {"type", "enum", "default", *_TEXTS}
        and isinstance(type_, str)
        and type_ in _CHECKS
        and all(isinstance(schema[key], str) for key in _TEXTS if key in schema)
        and ("enum" not in schema or (type_ == "string" and isinstance(schema["enum"], list)))
    )


def is_plain_call(schema: Mapping[str, Any]) -> bool:
    """Return whether the schemas of all parameters of a call are plain. schema: of the call's arguments."""
    return schema.keys() == {"type", "properties", "required"} and all(
        map(is_plain, schema["properties"].values())
    )
