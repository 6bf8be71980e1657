"""Several JSON Schemas, or definitions of one tool, as one that accepts whatever any of them does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

Schema = Mapping[str, Any]

_NOTES: Final = ("description", "title")
"""The keys of a schema that say nothing about values: the first text is kept."""
_SILENT: Final = frozenset({*_NOTES, "default", "examples", "required", "optional", "nullable", "deprecated"})
"""The keys of a property's schema without which it accepts the same values."""
_COMBINED: Final = frozenset({"enum", "properties", "required", "additionalProperties", "items", "anyOf"})


def unite_definitions(first: Schema, second: Schema) -> dict[str, Any]:
    """Unite two tool definitions of one name: a call that either accepts is accepted.

    A parameter that only one has is optional. Of descriptions, the first that says something is kept.
    """
    functions = first["function"], second["function"]
    united = {key: value for key, value in functions[0].items() if functions[1].get(key) == value}
    united["description"] = functions[0].get("description") or functions[1].get("description") or ""
    united["parameters"] = unite_schemas(*(function["parameters"] for function in functions))
    return {"type": "function", "function": united}


def unite_schemas(first: Schema, second: Schema) -> dict[str, Any]:
    """Unite two JSON Schemas: what either accepts is accepted, and what both say of it is kept.

    >>> unite_schemas({"type": "integer", "minimum": 1}, {"type": "number", "description": "How many."})
    {'type': 'number', 'description': 'How many.'}
    >>> unite_schemas({"type": "string", "enum": ["a"]}, {"type": "string", "enum": ["b", "a"]})
    {'type': 'string', 'enum': ['a', 'b']}
    >>> unite_schemas({"type": "string"}, {"type": "array", "items": {"type": "string"}})
    {'anyOf': [{'type': 'string'}, {'type': 'array', 'items': {'type': 'string'}}]}
    """
    if first == second:
        return dict(first)
    types = first.get("type"), second.get("type")
    if not _is_bound(first) or not _is_bound(second):
        united: dict[str, Any] = {}
    elif set(map(str, types)) == {"integer", "number"}:
        united = {
            "type": "number",
            **_unite_values({**first, "type": "number"}, {**second, "type": "number"}),
        }
    elif types[0] == types[1] and types[0] is not None and "anyOf" not in {*first, *second}:
        united = _unite_values(first, second)
    else:
        united = {"anyOf": _unite_options(_list_options(first), _list_options(second))}
    for key in _NOTES:
        if text := first.get(key) or second.get(key):
            united[key] = text
    if "default" in first and first["default"] == second.get("default"):
        united["default"] = first["default"]
    if first.get("nullable") is True or second.get("nullable") is True:
        united["nullable"] = True
    return united


def strip_notes(schema: Any) -> Any:
    """Remove from a schema, and from all schemas in it, what says nothing about values.

    >>> strip_notes({"type": "array", "items": {"type": "string", "description": "A name."}, "title": "Names"})
    {'type': 'array', 'items': {'type': 'string'}}
    """
    if isinstance(schema, list):
        return [strip_notes(child) for child in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {
        key: {name: strip_notes(child) for name, child in value.items()}
        if key == "properties" and isinstance(value, Mapping)
        else value
        if key == "enum"
        else strip_notes(value)
        for key, value in schema.items()
        if key not in (*_NOTES, "examples", "default")
    }


def _is_bound(schema: Schema) -> bool:
    """Return whether a schema says which values it accepts."""
    return any(key not in _SILENT and not key.startswith("x-") for key in schema)


def _unite_values(first: Schema, second: Schema) -> dict[str, Any]:
    """Unite two schemas of one type."""
    united = {key: value for key, value in first.items() if key not in _COMBINED and second.get(key) == value}
    for key in ("enum", "items"):
        if key in first and key in second:
            united[key] = _unite_parts(key, first[key], second[key])
    # Without `items`, the tuples of one of them would bind the lists of the other.
    if first.get("prefixItems") != second.get("prefixItems"):
        united.pop("items", None)
    united.update(_unite_objects(first, second))
    return united


def _unite_parts(key: str, first: Any, second: Any) -> Any:
    if key == "enum":
        values = {msgspec.json.encode(value): value for value in (*first, *second)}
        return list(values.values())
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return unite_schemas(first, second)
    return first if first == second else {}


def _unite_objects(first: Schema, second: Schema) -> dict[str, Any]:
    properties = first.get("properties"), second.get("properties")
    if not isinstance(properties[0], Mapping) and not isinstance(properties[1], Mapping):
        return {}
    ours, theirs = (_get_mapping(part) for part in properties)
    is_open = not (_names_all(first) and _names_all(second))
    if is_open and (not ours or not theirs):
        return {}  # An object with any members is accepted.
    united: dict[str, Any] = {
        "properties": {
            name: unite_schemas(ours[name], theirs[name])
            if name in ours and name in theirs
            else (ours.get(name) or theirs.get(name) or {})
            for name in {**ours, **theirs}
        }
    }
    if is_open:
        united["additionalProperties"] = True
    needed = [name for name in _get_list(first.get("required")) if name in _get_list(second.get("required"))]
    return {**united, **({"required": needed} if needed else {})}


def _names_all(schema: Schema) -> bool:
    """Return whether an object's schema names all of its members; one of all parameters without any does, too."""
    return schema.get("additionalProperties") in (None, False) and isinstance(
        schema.get("properties"), Mapping
    )


def _list_options(schema: Schema) -> list[Schema]:
    """List the alternatives of a schema, without what is said of all of them."""
    options = schema.get("anyOf")
    if isinstance(options, list) and not any(
        key not in _SILENT and key != "anyOf" and not key.startswith("x-") for key in schema
    ):
        return [option for option in options if isinstance(option, Mapping)]
    return [{key: value for key, value in schema.items() if key not in _SILENT or key == "required"}]


def _unite_options(first: Sequence[Schema], second: Sequence[Schema]) -> list[dict[str, Any]]:
    united = [dict(option) for option in first]
    for option in second:
        same = next(
            (index for index, known in enumerate(united) if known == option or _has_same_type(known, option)),
            None,
        )
        if same is None:
            united.append(dict(option))
        else:
            united[same] = unite_schemas(united[same], option)
    return united


def _has_same_type(first: Schema, second: Schema) -> bool:
    types = first.get("type"), second.get("type")
    return types[0] is not None and (types[0] == types[1] or set(map(str, types)) == {"integer", "number"})


def _get_mapping(value: Any) -> Schema:
    return value if isinstance(value, Mapping) else {}


def _get_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
