"""The JSON Schema of an answer, within what all servers of strict structured output accept.

Every object has all its properties in `required` and no others; an optional one takes `null`. Bounds, patterns and
formats are left out: the compiler checks them. Source: OpenAI's guide to structured outputs, "Supported schemas".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from exemplars.core.literals import parse_literal
from exemplars.dataset.catalog import Skill, build_tool_definition
from exemplars.dataset.generated_answers import Cell

_LITERALS: Final = ("string", "integer", "number", "boolean")
_KEPT: Final = ("description", "enum", "const")


class NotStrictError(ValueError):
    """A schema that strict structured output cannot express: an object with names that are not declared."""


def build_answer_format(skill: Skill, cell: Cell) -> dict[str, Any]:
    """Build the `response_format` of a request for examples of a cell.

    The arguments of the cell must have values; all others may be `null`. It is strict unless the skill has a
    parameter that strict structured output cannot express.
    """
    properties = build_tool_definition(skill)["function"]["parameters"]["properties"]
    try:
        arguments, strict = _build_arguments(properties, skill, cell), True
    except NotStrictError:
        arguments, strict = {"type": "object", "properties": properties}, False
    example = _close(
        {
            "utterance": {"type": "string"},
            "template": {"type": "string"},
            "skill": {"type": "string", "enum": [skill.name]},
            "arguments": arguments,
        }
    )
    schema = _close({"examples": {"type": "array", "items": example}})
    return {
        "type": "json_schema",
        "json_schema": {"name": "examples", "strict": strict, "schema": schema},
    }


def _build_arguments(properties: Mapping[str, Any], skill: Skill, cell: Cell) -> dict[str, Any]:
    schemas = {}
    for name, property_ in properties.items():
        schema = make_strict(property_)
        if name == cell.slot:
            parameter = skill.parameter_by_name[name]
            schema = {
                "type": schema.get("type", "string"),
                "enum": [parse_literal(cell.value, parameter.type)],
            }
        schemas[name] = schema if name in cell.slots else _allow_null(schema)
    return _close(schemas)


def _close(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def make_strict(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Make a schema strict. Raises `NotStrictError` if that would admit less than the schema does.

    >>> make_strict({"type": "object", "properties": {"row": {"type": "integer", "minimum": 1}}})["required"]
    ['row']
    """
    kept = {key: schema[key] for key in _KEPT if schema.get(key)}
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        return {**kept, "anyOf": [make_strict(option) for option in options]}
    if "allOf" in schema:
        raise NotStrictError("allOf")
    types = schema.get("type")
    if types is None:
        return kept if "enum" in kept or "const" in kept else _take_any(kept)
    if isinstance(types, list):
        return {**kept, "anyOf": [make_strict({**_drop_kept(schema), "type": name}) for name in types]}
    if types == "array":
        return {**kept, "type": "array", "items": make_strict(schema.get("items") or {})}
    return {**kept, **_make_object_strict(schema)} if types == "object" else {**kept, "type": types}


def _drop_kept(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key not in _KEPT}


def _take_any(kept: dict[str, Any]) -> dict[str, Any]:
    return {**kept, "anyOf": [{"type": name} for name in _LITERALS]}


def _make_object_strict(schema: Mapping[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties")
    if not properties or isinstance(schema.get("additionalProperties"), Mapping):
        raise NotStrictError("an object with names that are not declared")
    required = schema.get("required") or ()
    strict = {name: make_strict(property_) for name, property_ in properties.items()}
    return _close({name: part if name in required else _allow_null(part) for name, part in strict.items()})


def _allow_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    description = {key: schema[key] for key in ("description",) if key in schema}
    inner = {key: value for key, value in schema.items() if key != "description"}
    options = inner["anyOf"] if set(inner) == {"anyOf"} else [inner]
    return {**description, "anyOf": [*options, {"type": "null"}]}
