"""Questions to the JSON Schema of a parameter; `$ref` is resolved before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def find_subschema(schema: Mapping[str, Any], segments: Sequence[str | int]) -> Mapping[str, Any] | None:
    """Find the schema of what a path leads to; `None` if the schema has no such item or property.

    segments: the path from the value that the schema describes. Of alternatives, the first that has the path counts.

    >>> find_subschema({"type": "array", "items": {"type": "integer"}}, [3])
    {'type': 'integer'}
    """
    if not segments:
        return schema
    first, rest = segments[0], segments[1:]
    for option in list_alternatives(schema):
        child = _find_item(option, first) if isinstance(first, int) else _find_property(option, first)
        found = None if child is None else find_subschema(child, rest)
        if found is not None:
            return found
    return None


def list_alternatives(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the schemas that a value may satisfy: those of `anyOf`, `oneOf` and `allOf`, or the schema itself."""
    options = [
        option
        for key in ("anyOf", "oneOf", "allOf")
        if isinstance(schema.get(key), list)
        for option in schema[key]
        if isinstance(option, Mapping)
    ]
    yield schema
    for option in options:
        yield from list_alternatives(option)


def admits_null(schema: Mapping[str, Any]) -> bool:
    """Return whether a schema admits `None`.

    >>> admits_null({"type": ["string", "null"]}), admits_null({"type": "string"})
    (True, False)
    """
    return any(
        option.get("type") == "null"
        or (isinstance(option.get("type"), list) and "null" in option["type"])
        or option.get("nullable") is True
        or (isinstance(option.get("enum"), list) and None in option["enum"])
        for option in list_alternatives(schema)
    )


def list_types(schema: Mapping[str, Any]) -> frozenset[str]:
    """List the types that a schema names, of all alternatives; empty: it names none."""
    types: set[str] = set()
    for option in list_alternatives(schema):
        declared = option.get("type")
        types |= (
            {declared} if isinstance(declared, str) else set(declared if isinstance(declared, list) else ())
        )
    return frozenset(types)


def _find_item(schema: Mapping[str, Any], index: int) -> Mapping[str, Any] | None:
    prefix = schema.get("prefixItems")
    if isinstance(prefix, list) and index < len(prefix):
        return prefix[index] if isinstance(prefix[index], Mapping) else {}
    items = schema.get("items")
    if isinstance(items, list):  # The form of tuples before JSON Schema 2020-12.
        if index < len(items):
            return items[index] if isinstance(items[index], Mapping) else {}
        items = schema.get("additionalItems", {})
    if items is False or not _admits(schema, "array"):
        return None
    return items if isinstance(items, Mapping) else {}


def _find_property(schema: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    properties = schema.get("properties")
    if isinstance(properties, Mapping) and name in properties:
        return properties[name] if isinstance(properties[name], Mapping) else {}
    others = schema.get("additionalProperties", not properties)
    if others is False or not _admits(schema, "object"):
        return None
    return others if isinstance(others, Mapping) else {}


def _admits(schema: Mapping[str, Any], type_: str) -> bool:
    """Return whether a schema may describe values of a type, as far as its own `type` says."""
    declared = schema.get("type")
    if declared is None:
        return not any(isinstance(schema.get(key), list) for key in ("anyOf", "oneOf", "enum"))
    return declared == type_ or (isinstance(declared, list) and type_ in declared)
