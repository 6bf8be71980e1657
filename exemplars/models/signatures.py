"""Skills on one line, as prompts show them in the compact form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from exemplars.core.literals import format_literal
from exemplars.dataset.catalog import Skill
from exemplars.dataset.json_schemas import find_types, find_values, list_alternatives
from exemplars.dataset.parameters import Parameter

_TYPE_NAMES: Final = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
_MAX_DEPTH: Final = 8
"""Deeper lists and objects are not written out."""


def format_signature(skill: Skill) -> str:
    """Format a skill on one line; a parameter without a type is text.

    >>> format_signature(Skill("light", parameters=(Parameter("action", enum=("on", "off")), Parameter("room"))))
    'light(action=on|off, room)'
    >>> dish = {"type": "object", "properties": {"name": {"type": "string"}, "quantity": {"type": "integer"}}}
    >>> dishes = Parameter("dishes", type="array", schema={"type": "array", "items": dish})
    >>> format_signature(Skill("order", parameters=(dishes,)))
    'order(dishes:[{name, quantity:int}])'
    """
    return f"{skill.name}({', '.join(map(_format_parameter, skill.parameters))})"


def _format_parameter(parameter: Parameter) -> str:
    if parameter.enum:
        return f"{parameter.name}={'|'.join(parameter.enum)}"
    if parameter.schema is not None:
        return f"{parameter.name}{_format_member(parameter.schema, 1)}"
    type_ = None if parameter.type in (None, "string") else parameter.type
    return f"{parameter.name}:{_TYPE_NAMES.get(type_, type_)}" if type_ else parameter.name


def _format_member(schema: Mapping[str, Any], depth: int) -> str:
    """Format what follows a name: its values, its type, or nothing if it is text or anything."""
    values = find_values(schema)
    if values:
        return f"={'|'.join(map(format_literal, values))}"
    types = _format_types(schema, depth)
    return "" if types in ("", "str") else f":{types}"


def _format_types(schema: Mapping[str, Any], depth: int) -> str:
    """Format the types of a value: `int`, `[str]`, `{street, zip}`, `int|None`; anything is empty."""
    types = find_types(schema)
    if types is None or len(types) > len(_TYPE_NAMES):
        return ""
    names = [name for type_, name in _TYPE_NAMES.items() if type_ in types]
    if "array" in types:
        names.append(_format_array(schema, depth))
    if "object" in types:
        names.append(_format_object(schema, depth))
    if "null" in types:
        names.append("None")
    return "|".join(names)


def _format_array(schema: Mapping[str, Any], depth: int) -> str:
    items = next(
        (option["items"] for option in list_alternatives(schema) if isinstance(option.get("items"), Mapping)),
        None,
    )
    if items is None or depth == _MAX_DEPTH:
        return "[]"
    values = find_values(items)
    return f"[{'|'.join(map(format_literal, values)) if values else _format_types(items, depth + 1)}]"


def _format_object(schema: Mapping[str, Any], depth: int) -> str:
    properties: dict[str, Any] = {}
    for option in list_alternatives(schema):
        declared = option.get("properties")
        properties.update(declared if isinstance(declared, Mapping) else {})
    if depth == _MAX_DEPTH:
        return "{}"
    members = (
        f"{name}{_format_member(child, depth + 1) if isinstance(child, Mapping) else ''}"
        for name, child in properties.items()
    )
    return f"{{{', '.join(members)}}}"
