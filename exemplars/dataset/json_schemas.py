"""Questions to the JSON Schema of a parameter, which `schema_forms` has normalized."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from exemplars.core.literals import find_type
from exemplars.core.slot_paths import MAX_DEPTH, format_path


def find_subschema(schema: Mapping[str, Any], segments: Sequence[str | int]) -> Mapping[str, Any] | None:
    """Find the schema of what a path leads to; `None` if the schema has no such item or property.

    segments: the path from the value that the schema describes. Several alternatives that have the path are
    alternatives again; of the parts of `allOf`, the first counts.

    >>> find_subschema({"type": "array", "items": {"type": "integer"}}, [3])
    {'type': 'integer'}
    """
    if not segments:
        return schema
    first, rest = segments[0], segments[1:]
    found: list[Mapping[str, Any]] = []
    for option in list_alternatives(schema):
        child = _find_item(option, first) if isinstance(first, int) else _find_property(option, first)
        part = None if child is None else find_subschema(child, rest)
        if part is not None and part not in found:
            found.append(part)
    if not found:
        return None
    return found[0] if len(found) == 1 or "allOf" in schema else {"anyOf": found}


def list_alternatives(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the schemas that a value may satisfy: those of `anyOf`, `oneOf` and `allOf`, or the schema itself."""
    yield schema
    for key in ("anyOf", "oneOf", "allOf"):
        for option in _list_parts(schema, key):
            yield from list_alternatives(option)


def walk_schema(schema: Any, place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield a schema and all schemas in it, each with the place that its values have; an index is left open.

    >>> schema = {"type": "array", "items": {"properties": {"zip.code": {"type": "string"}}}}
    >>> [place for place, _ in walk_schema(schema, "stops")]
    ['stops', 'stops[]', 'stops[]["zip.code"]']
    """
    if not isinstance(schema, Mapping):
        return
    yield place, schema
    properties = schema.get("properties")
    for name, child in properties.items() if isinstance(properties, Mapping) else ():
        yield from walk_schema(child, place + format_path(("_", name)).removeprefix("_"))
    yield from walk_schema(schema.get("additionalProperties"), f"{place}.*")
    for child in (schema.get("items"), *_list_parts(schema, "prefixItems")):
        yield from walk_schema(child, f"{place}[]")
    for key in ("anyOf", "oneOf", "allOf"):
        for option in _list_parts(schema, key):
            yield from walk_schema(option, place)


def list_leaf_paths(schema: Mapping[str, Any]) -> list[tuple[str | int, ...]]:
    """List the paths of the leaves that a schema declares, with 0 as the index of every item; of alternatives, all.

    A schema without declared properties or items is a leaf itself.

    >>> items = {"type": "object", "properties": {"name": {"type": "string"}, "sizes": {"type": "array", "items": {}}}}
    >>> list_leaf_paths({"type": "array", "items": items})
    [(0, 'name'), (0, 'sizes', 0)]
    """
    return list(dict.fromkeys(_walk_leaves(schema, MAX_DEPTH)))


def _walk_leaves(schema: Mapping[str, Any], depth: int) -> Iterator[tuple[str | int, ...]]:
    children = [child for option in list_alternatives(schema) for child in _list_children(option)]
    if not children or not depth:
        yield ()
        return
    for key, child in children:
        for rest in _walk_leaves(child, depth - 1):
            yield key, *rest


def _list_children(schema: Mapping[str, Any]) -> Iterator[tuple[str | int, Mapping[str, Any]]]:
    properties, items = schema.get("properties"), schema.get("items")
    for name, child in properties.items() if isinstance(properties, Mapping) else ():
        yield name, child if isinstance(child, Mapping) else {}
    if isinstance(items, Mapping):
        yield 0, items


def admits_null(schema: Mapping[str, Any]) -> bool:
    """Return whether a schema admits `None`.

    >>> admits_null({"type": ["string", "null"]}), admits_null({"type": "string"}), admits_null({})
    (True, False, True)
    """
    types = find_types(schema)
    return types is None or "null" in types


def find_types(schema: Mapping[str, Any]) -> frozenset[str] | None:
    """Find the types that a schema leaves: those of all alternatives, and of what must hold at once.

    `None`: it leaves any. An integer is a number, too.

    >>> sorted(find_types({"anyOf": [{"type": "integer"}, {"enum": ["all", None]}]}))
    ['integer', 'null', 'string']
    >>> sorted(find_types({"type": ["string", "null"], "allOf": [{"enum": ["a"]}]}))
    ['string']
    """
    declared = schema.get("type")
    names = declared if isinstance(declared, list) else [declared]
    types = frozenset(name for name in names if isinstance(name, str)) or None
    values = _list_own_values(schema)
    if values is not None:
        types = _intersect(types, frozenset(map(_find_json_type, values)))
    for part in _list_parts(schema, "allOf"):
        types = _intersect(types, find_types(part))
    for key in ("anyOf", "oneOf"):
        options = [find_types(option) for option in _list_parts(schema, key)]
        if options and None not in options:
            types = _intersect(types, frozenset().union(*(option for option in options if option)))
    return types


def find_values(schema: Mapping[str, Any]) -> list[Any] | None:
    """Find the only values that a schema accepts, in its order, `None` left out; `None`: it accepts others, too.

    >>> find_values({"anyOf": [{"enum": ["a", "b"]}, {"const": 5}, {"type": "null"}]})
    ['a', 'b', 5]
    """
    values = _list_own_values(schema)
    for part in _list_parts(schema, "allOf"):
        values = find_values(part) if values is None else values
    for key in ("anyOf", "oneOf"):
        options = [option for option in _list_parts(schema, key) if option.get("type") != "null"]
        listed = [find_values(option) for option in options]
        if values is None and listed and None not in listed:
            values = [value for option in listed for value in option or ()]
    return None if values is None else [value for value in values if value is not None]


def _list_own_values(schema: Mapping[str, Any]) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    values = schema.get("enum")
    return values if isinstance(values, list) else None


def _find_json_type(value: Any) -> str:
    if value is None:
        return "null"
    return find_type(value) or ("array" if isinstance(value, list) else "object")


def _intersect(first: frozenset[str] | None, second: frozenset[str] | None) -> frozenset[str] | None:
    if first is None or second is None:
        return second if first is None else first
    integers = {"integer"} if {"integer", "number"} & first and {"integer", "number"} & second else set()
    return first & second or frozenset(integers)


def _list_parts(schema: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    parts = schema.get(key)
    return [part for part in parts if isinstance(part, Mapping)] if isinstance(parts, list) else []


def _find_item(schema: Mapping[str, Any], index: int) -> Mapping[str, Any] | None:
    prefix = schema.get("prefixItems")
    if isinstance(prefix, list) and index < len(prefix):
        return prefix[index] if isinstance(prefix[index], Mapping) else {}
    items = schema.get("items")
    if items is False or not _admits(schema, "array"):
        return None
    return items if isinstance(items, Mapping) else {}


def _find_property(schema: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    properties, patterns = schema.get("properties"), schema.get("patternProperties")
    if isinstance(properties, Mapping) and name in properties:
        return properties[name] if isinstance(properties[name], Mapping) else {}
    for pattern, child in patterns.items() if isinstance(patterns, Mapping) else ():
        try:
            is_match = re.search(pattern, name)
        except re.error:
            return {}  # What is no regular expression says nothing.
        if is_match:
            return child if isinstance(child, Mapping) else {}
    others = schema.get("additionalProperties", not properties and not patterns)
    if others is False or not _admits(schema, "object"):
        return None
    return others if isinstance(others, Mapping) else {}


def _admits(schema: Mapping[str, Any], type_: str) -> bool:
    """Return whether a schema may describe values of a type, as far as its own `type` says."""
    declared = schema.get("type")
    if declared is None:
        return not any(isinstance(schema.get(key), list) for key in ("anyOf", "oneOf", "enum"))
    return declared == type_ or (isinstance(declared, list) and type_ in declared)
