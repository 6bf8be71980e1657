"""The JSON Schema of values that nobody declared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from exemplars.core.literals import find_type


def infer_schema(values: Iterable[object]) -> dict[str, Any]:
    """Infer the JSON Schema of values: one type, or several; of lists their items, of objects their properties.

    A property is never required, since a value that has none of it may come later.

    >>> infer_schema([1, 2.5]), infer_schema([1, "a"])
    ({'type': 'number'}, {'type': ['integer', 'string']})
    >>> infer_schema([[{"n": 1}], []])
    {'type': 'array', 'items': {'type': 'object', 'properties': {'n': {'type': 'integer'}}}}
    """
    known = list(values)
    types = sorted({_find_type(value) for value in known})
    if {"integer", "number"} <= set(types):
        types.remove("integer")
    if not types:
        return {}
    schema: dict[str, Any] = {"type": types[0] if len(types) == 1 else types}
    lists = [value for value in known if isinstance(value, Sequence) and not isinstance(value, str)]
    if items := [item for value in lists for item in value]:
        schema["items"] = infer_schema(items)
    objects = [value for value in known if isinstance(value, Mapping)]
    if names := dict.fromkeys(name for value in objects for name in value):
        schema["properties"] = {
            name: infer_schema(value[name] for value in objects if name in value) for name in names
        }
    return schema


def _find_type(value: object) -> str:
    if value is None or isinstance(value, Mapping):
        return "null" if value is None else "object"
    return find_type(value) or "array"
