"""JSON Schema of several vintages as one form: references resolved, and keywords as in the draft of 2020-12."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from exemplars.core.errors import quote_text
from exemplars.core.slot_paths import format_path
from exemplars.dataset.references import resolve_references

_SUBSCHEMAS: Final = (
    "items", "additionalItems", "contains", "additionalProperties", "propertyNames", "not", "if", "then", "else",
    "unevaluatedItems", "unevaluatedProperties",
)  # fmt: skip
_SUBSCHEMA_LISTS: Final = ("anyOf", "oneOf", "allOf", "prefixItems", "items")
_SUBSCHEMA_MAPS: Final = ("properties", "patternProperties", "dependentSchemas")
_BOUNDS: Final = (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum"))


def normalize_parameters(schema: Any, *documents: Any) -> dict[str, Any]:
    """Normalize the JSON Schema of all parameters of a tool into an object with `properties` and `required`.

    References are resolved, and keywords of older drafts and of OpenAPI 3.0 (`nullable`, tuples as lists of `items`,
    boolean bounds) become those of 2020-12. Properties that `allOf` adds are among the properties; those of `anyOf`
    and `oneOf`, too, but not required.

    documents: where references are looked up after the schema itself.

    >>> normalize_parameters({"allOf": [{"properties": {"n": {"type": "integer", "nullable": True}}}]})
    {'type': 'object', 'properties': {'n': {'type': ['integer', 'null']}}, 'required': []}
    """
    resolved = normalize_schema(resolve_references(schema, schema, *documents))
    properties: dict[str, Any] = {}
    required: dict[str, None] = {}
    for part, is_certain in _list_parts(resolved, True):
        own = part.get("properties")
        for name, property_ in own.items() if isinstance(own, Mapping) else ():
            properties.setdefault(name, _read_boolean(property_))
        names = part.get("required")
        if is_certain and isinstance(names, list):
            required |= dict.fromkeys(name for name in names if isinstance(name, str))
    return {"type": "object", "properties": properties, "required": list(required)}


def _list_parts(schema: Any, is_certain: bool) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """Yield a schema and its parts, each with whether every value must satisfy it."""
    if not isinstance(schema, Mapping):
        return
    yield schema, is_certain
    for key in ("allOf", "anyOf", "oneOf"):
        options = schema.get(key)
        if isinstance(options, list):
            is_only = key == "allOf" or len(options) == 1
            for option in options:
                yield from _list_parts(option, is_certain and is_only)


def _read_boolean(schema: Any) -> Any:
    """Read `true` and `false`, which are schemas, too."""
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}
    return schema


def normalize_schema(schema: Any) -> Any:
    """Write the keywords of a schema, and of all schemas in it, as in the draft of 2020-12; references stay.

    >>> normalize_schema({"type": "array", "items": [{"type": "string"}], "additionalItems": False})
    {'type': 'array', 'prefixItems': [{'type': 'string'}], 'items': False}
    >>> normalize_schema({"type": "number", "minimum": 0, "exclusiveMinimum": True})
    {'type': 'number', 'exclusiveMinimum': 0}
    """
    if not isinstance(schema, Mapping):
        return schema
    changed = dict(schema)
    for key in _SUBSCHEMAS:
        if isinstance(schema.get(key), Mapping):
            changed[key] = normalize_schema(schema[key])
    for key in _SUBSCHEMA_LISTS:
        if isinstance(schema.get(key), list):
            changed[key] = [normalize_schema(child) for child in schema[key]]
    for key in _SUBSCHEMA_MAPS:
        if isinstance(schema.get(key), Mapping):
            changed[key] = {name: normalize_schema(child) for name, child in schema[key].items()}
    changed = _rename_tuple_items(changed)
    for exclusive, bound in _BOUNDS:
        if isinstance(changed.get(exclusive), bool):
            is_exclusive = changed.pop(exclusive)
            if is_exclusive and bound in changed:
                changed[exclusive] = changed.pop(bound)
    return _admit_null(changed) if changed.pop("nullable", False) is True else changed


def _rename_tuple_items(schema: dict[str, Any]) -> dict[str, Any]:
    """Write the schemas of a tuple's items under `prefixItems`, and that of all others under `items`."""
    if not isinstance(schema.get("items"), list):
        return schema
    names = {"items": "prefixItems", "additionalItems": "items"}
    return {names.get(key, key): value for key, value in schema.items() if key != "items" or value}


def _admit_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Admit `None`, as `nullable` of OpenAPI 3.0 does."""
    values = schema.get("enum")
    if isinstance(values, list) and None not in values:
        schema = {**schema, "enum": [*values, None]}
    type_ = schema.get("type")
    if type_ is None:
        others: dict[str, Any] = {key: schema.pop(key) for key in ("description", "default") if key in schema}
        return {"anyOf": [schema, {"type": "null"}], **others} if schema else others
    types = type_ if isinstance(type_, list) else [type_]
    return {**schema, "type": types if "null" in types else [*types, "null"]}


def find_schema_mistakes(parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Find what is no JSON Schema in normalized parameters: what is wrong, and where.

    >>> list(find_schema_mistakes({"properties": {"n": {"type": "strnig"}, "m": {"enum": None}}}))
    [("the type 'strnig'", 'n.type'), ("the enum 'null'", 'm.enum')]
    >>> list(find_schema_mistakes({"properties": {"n": {"pattern": "(("}}}))
    [("the pattern '(('", 'n.pattern')]
    """
    # Imported here: most commands read no schema.
    from jsonschema import Draft202012Validator, FormatChecker

    meta_schema = Draft202012Validator.META_SCHEMA
    validator = Draft202012Validator(meta_schema, format_checker=FormatChecker(("regex",)))
    for name, schema in parameters["properties"].items():
        error = next(validator.iter_errors(schema), None)
        if error is not None:
            keys = list(map(str, error.absolute_path))
            keyword = next((key for key in reversed(keys) if not key.isdecimal()), "schema")
            value = (
                error.instance if isinstance(error.instance, str) else json.dumps(error.instance, default=str)
            )
            yield f"the {keyword} {quote_text(value)}", ".".join((format_path((name,)), *keys))
        else:
            numbers = (value for value in _list_literals(schema) if isinstance(value, float))
            yield from (
                (f"the number {number}", format_path((name,)))
                for number in numbers
                if not math.isfinite(number)
            )


def _list_literals(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping | list):
        for child in value.values() if isinstance(value, Mapping) else value:
            yield from _list_literals(child)
    else:
        yield value
