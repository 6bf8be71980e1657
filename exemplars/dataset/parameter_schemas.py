"""Parameters as JSON Schema, and back. What JSON Schema has no keyword for is under `x-` keys: see `catalog`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from exemplars.core.literals import find_type, format_literal, parse_literal
from exemplars.core.records import DONTCARE
from exemplars.dataset.json_schemas import find_types, find_values
from exemplars.dataset.parameters import COMPOSED, SPAN, TYPES, Parameter

_FLAT_KEYS: Final = frozenset(
    {"type", "enum", "description", "default", "x-recognizer", "x-filled-by", "x-dontcare"}
)
"""The keys of a schema that a parameter has fields for."""


def list_filling(parameter: Parameter) -> dict[str, Any]:
    """List what the leaves of a parameter inherit from it: who writes their values."""
    if parameter.composed:
        return {"x-filled-by": COMPOSED}
    return {} if parameter.recognizer is None else {"x-recognizer": parameter.recognizer}


def build_value_schema(parameter: Parameter) -> dict[str, Any]:
    """Build the JSON Schema of the values of a parameter, without its description and without what fills it.

    >>> build_value_schema(Parameter("n", "how many", type="integer", composed=True))
    {'type': 'integer'}
    """
    ignored = ("description", "x-filled-by", "x-recognizer")
    return {key: value for key, value in build_property(parameter).items() if key not in ignored}


def build_property(parameter: Parameter) -> dict[str, Any]:
    """Build the JSON Schema of a parameter, which admits exactly the values that its calls may have."""
    if parameter.schema is not None:
        return {**parameter.schema, "description": parameter.description, **list_filling(parameter)}
    values: dict[str, Any] = {"type": list(TYPES) if parameter.type is None else parameter.type}
    if parameter.enum:
        values["enum"] = [parse_literal(value, parameter.type) for value in parameter.enum]
    if parameter.dontcare and parameter.enum and parameter.type in ("string", None):
        values["enum"].append(DONTCARE)
    elif parameter.dontcare and parameter.type not in ("string", None):
        values = {"anyOf": [values, {"type": "string", "enum": [DONTCARE]}]}
    schema = {**values, "description": parameter.description}
    if "enum" in schema:  # The last key, as in definitions that are written by hand.
        schema["enum"] = schema.pop("enum")
    if parameter.recognizer is not None:
        schema["x-recognizer"] = parameter.recognizer
    if parameter.composed:
        schema["x-filled-by"] = COMPOSED
    if parameter.default is not None:
        schema["default"] = parse_literal(parameter.default, parameter.type)
    if parameter.dontcare:
        schema["x-dontcare"] = True
    return schema


def parse_property(name: str, schema: Mapping[str, Any]) -> Parameter:
    """Parse the JSON Schema of a parameter, in normal form; of its types, `null` and that of `dontcare` do not count.

    >>> parse_property("size", {"enum": ["S", "M", None]}).enum
    ('S', 'M')
    """
    values, dontcare = _split_dontcare(schema)
    type_ = _find_type(values)
    enum = find_values(values) or []
    if schema.get("x-dontcare"):
        dontcare, enum = True, [value for value in enum if value != DONTCARE]
    description = schema.get("description")
    filled_by, default = schema.get("x-filled-by", SPAN), schema.get("default")
    return Parameter(
        name=name,
        description=description if isinstance(description, str) else "",
        type=type_,
        enum=tuple(map(format_literal, enum)) if all(map(find_type, enum)) else (),
        recognizer=schema.get("x-recognizer") or (filled_by if filled_by not in (SPAN, COMPOSED) else None),
        dontcare=dontcare,
        composed=filled_by == COMPOSED,
        default=format_literal(default) if find_type(default) else None,
        schema=None if _is_flat(schema, values, type_) else _select_schema(schema, dontcare),
    )


def _split_dontcare(schema: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """Return a schema without the alternative `dontcare`, and whether it had one."""
    options = schema.get("anyOf")
    others = [option for option in _list(options) if not _is_dontcare(option)]
    if len(others) == len(_list(options)):
        return schema, False
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return ({**rest, **others[0]} if len(others) == 1 else {**rest, "anyOf": others}), True


def _find_type(schema: Mapping[str, Any]) -> str | None:
    """Find the only type that a schema leaves, except `null`; `None` if it leaves several."""
    types = (find_types(schema) or frozenset()) - {"null"}
    if types == {"integer", "number"}:
        return "number"
    return next(iter(types)) if len(types) == 1 else None


def _is_flat(schema: Mapping[str, Any], values: Mapping[str, Any], type_: str | None) -> bool:
    """Return whether the other fields of a parameter say all that its schema does. values: without `dontcare`."""
    declared, enum = values.get("type"), values.get("enum")
    if values.keys() - _FLAT_KEYS or (values is not schema and len(schema["anyOf"]) != 2):
        return False
    if type_ not in (*TYPES, None) or declared not in (type_, None, list(TYPES)):
        return False
    if declared is None and enum is None:
        return False
    literals = [*_list(enum), *([values["default"]] if "default" in values else [])]
    return all(_is_literal(value, type_) for value in literals)


def _is_literal(value: object, type_: str | None) -> bool:
    """Return whether a value comes back from the text of a literal."""
    if find_type(value) is None:
        return False
    read = parse_literal(format_literal(value), type_)
    return type(read) is type(value) and read == value


def _select_schema(schema: Mapping[str, Any], dontcare: bool) -> dict[str, Any]:
    """Return a schema without what the other fields of a parameter say. dontcare: whether it accepts `dontcare`."""
    rest = {
        key: value
        for key, value in schema.items()
        if key not in ("x-filled-by", "x-recognizer")
        and not (key == "description" and isinstance(value, str))
    }
    if not dontcare or any(map(_is_dontcare, _list(schema.get("anyOf")))):
        return rest
    del rest["x-dontcare"]
    outer = {"default": rest.pop("default")} if "default" in rest else {}
    return {"anyOf": [rest, {"type": "string", "enum": [DONTCARE]}], "x-dontcare": True, **outer}


def _is_dontcare(option: object) -> bool:
    return isinstance(option, Mapping) and (
        option.get("enum") == [DONTCARE] or option.get("const") == DONTCARE
    )


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
