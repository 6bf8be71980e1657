"""Definitions of tools, as the dialects write them, in OpenAI's form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from exemplars.core.documents import decode_json
from exemplars.core.json_pointers import escape_key
from exemplars.core.records import Reason
from exemplars.dataset.schema_forms import normalize_parameters
from stages.ingest.chat.call_texts import describe_value
from stages.ingest.chat.conversations import FaultList

_JSON_TYPES: Final = {
    "str": "string", "string": "string", "text": "string", "int": "integer", "integer": "integer", "long": "integer",
    "float": "number", "double": "number", "number": "number", "bool": "boolean", "boolean": "boolean",
    "list": "array", "array": "array", "tuple": "array", "set": "array",
    "dict": "object", "object": "object", "hashmap": "object", "null": "null", "none": "null",
}  # fmt: skip
"""JSON's names of the types of Python, Java and BFCL, in lower case. Other names, such as `any`, accept any value."""
_SUBSCHEMAS: Final = ("items", "additionalProperties", "not")
_SUBSCHEMA_LISTS: Final = ("anyOf", "oneOf", "allOf", "prefixItems")
_SUBSCHEMA_MAPS: Final = ("properties", "$defs", "definitions")
_SCHEMA_KEYS: Final = frozenset({"properties", "$ref", "anyOf", "oneOf", "allOf", "required"})


def read_tools(raw: Any, pointer: str, faults: FaultList) -> tuple[Mapping[str, Any], ...]:
    """Read the tools of a row: a list of definitions, or JSON text of one.

    A definition may be OpenAI's, with or without `{"type": "function"}` around it, or MCP's, with `inputSchema`, or
    xLAM's, whose `parameters` are the properties themselves.
    """
    if raw is None:
        return ()
    if isinstance(raw, str):
        if not raw.strip():
            return ()
        try:
            raw = decode_json(raw)
        except msgspec.DecodeError as error:
            faults.add(
                pointer,
                Reason.MALFORMED_RECORD,
                f"tools that are not JSON ({error})",
                "a list of definitions",
            )
            return ()
    if isinstance(raw, Mapping):
        raw = [raw]
    if not isinstance(raw, Sequence):
        faults.add(pointer, Reason.MALFORMED_RECORD, describe_value(raw), "a list of definitions of tools")
        return ()
    tools = (_read_tool(tool, f"{pointer}/{index}", faults, raw) for index, tool in enumerate(raw))
    return tuple(tool for tool in tools if tool is not None)


def _read_tool(raw: Any, pointer: str, faults: FaultList, document: Any) -> Mapping[str, Any] | None:
    """Read a tool. document: the list of which it is a part, where its references are looked up, too."""
    function = raw.get("function", raw) if isinstance(raw, Mapping) else raw
    name = function.get("name") if isinstance(function, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(name, str) or not name:
        faults.add(pointer, Reason.MALFORMED_RECORD, describe_value(raw), "a definition with a name")
        return None
    description = function.get("description")
    parameters = function.get("parameters", function.get("inputSchema", function.get("input_schema")))
    return {
        "type": "function",
        "function": {
            "name": name,
            "description": description if isinstance(description, str) else "",
            "parameters": normalize_parameters(
                _read_parameters(parameters, f"{pointer}/parameters", faults), raw, document
            ),
        },
    }


def _read_parameters(raw: Any, pointer: str, faults: FaultList) -> Mapping[str, Any]:
    """Read the schema of all parameters: JSON Schema of an object, or the properties alone."""
    if raw is None or raw == {} or raw == []:
        return {"type": "object", "properties": {}}
    if not isinstance(raw, Mapping):
        faults.add(pointer, Reason.MALFORMED_RECORD, describe_value(raw), "a JSON Schema of an object")
        return {"type": "object", "properties": {}}
    if isinstance(raw.get("type"), str) or _SCHEMA_KEYS & raw.keys():
        schema: Mapping[str, Any] = _normalize_types({"type": "object", **raw})
        return schema
    return _read_bare_properties(raw)


def _read_bare_properties(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read properties whose types are Python's, with `, optional`; those without a default are required."""
    schemas: dict[str, Any] = {}
    required = []
    for name, raw in properties.items():
        schema = dict(raw) if isinstance(raw, Mapping) else {}
        type_ = str(schema.get("type", ""))
        if not type_.endswith("optional") and "default" not in schema:
            required.append(name)
        schema["type"] = type_.removesuffix("optional").rstrip(" ,")
        schemas[name] = _normalize_types(schema)
    return {"type": "object", "properties": schemas, "required": required}


def _normalize_types(schema: Any) -> Any:
    """Write the types of a schema, and of all schemas in it, as JSON Schema has them; keywords without sense go."""
    if not isinstance(schema, Mapping):
        return schema if isinstance(schema, bool) else {}
    changed = {key: value for key, value in schema.items() if _has_sense(key, value)}
    type_ = changed.pop("type", None)
    if isinstance(type_, str):
        changed.update(_read_type(type_))
    elif type_:
        changed["type"] = [_JSON_TYPES[name.lower()] for name in type_]
    for key in (*_SUBSCHEMAS, *_SUBSCHEMA_LISTS):
        if isinstance(changed.get(key), list):
            changed[key] = [_normalize_types(child) for child in changed[key]]
        elif key in changed:
            changed[key] = _normalize_types(changed[key])
    for key in _SUBSCHEMA_MAPS:
        if key in changed:
            changed[key] = {name: _normalize_types(child) for name, child in changed[key].items()}
    return changed


def _has_sense(key: str, value: Any) -> bool:
    """Return whether a value is one that a keyword may have; people write `"required": true` in a property."""
    match key:
        case "type":
            names = value if isinstance(value, list) else [value]
            is_known = all(isinstance(name, str) and name.lower() in _JSON_TYPES for name in names)
            return isinstance(value, str) or (is_known and len(names) == len(set(names)) > 0)
        case "properties" | "patternProperties" | "$defs" | "definitions":
            return isinstance(value, Mapping)
        case "items" | "additionalItems":
            return isinstance(value, Mapping | bool | list)
        case "additionalProperties" | "not" | "contains" | "propertyNames" | "if" | "then" | "else":
            return isinstance(value, Mapping | bool)
        case "anyOf" | "oneOf" | "allOf" | "prefixItems":
            return isinstance(value, list) and bool(value)
        case "enum":
            return isinstance(value, list)
        case "required":
            return isinstance(value, list) and all(isinstance(name, str) for name in value)
        case "description" | "title" | "format" | "pattern" | "$ref" | "x-filled-by" | "x-recognizer":
            return isinstance(value, str)
        case _:
            return not key.startswith("$") or isinstance(value, str)


def _read_type(text: str) -> dict[str, Any]:
    """Read a type: one of JSON Schema's, or Python's, such as `List[int]`.

    >>> _read_type("List[int]"), _read_type("Optional[str]"), _read_type("any")
    ({'type': 'array', 'items': {'type': 'integer'}}, {'type': 'string'}, {})
    >>> _read_type("Union[bool, str]"), _read_type("Union[int, None]")
    ({'anyOf': [{'type': 'boolean'}, {'type': 'string'}]}, {'type': 'integer'})
    """
    head, _, rest = text.strip().partition("[")
    inner = rest.removesuffix("]")
    name = head.strip().lower()
    if name in ("optional", "union"):
        options = [_read_type(option) for option in _split_types(inner) if option.strip().lower() != "none"]
        return options[0] if len(options) == 1 else {"anyOf": options} if all(options) else {}
    type_ = _JSON_TYPES.get(name)
    if type_ is None:
        return {}
    if type_ == "array" and inner:
        items = _read_type(inner) if "," not in inner or "[" in inner else {}
        return {"type": type_, **({"items": items} if items else {})}
    return {"type": type_}


def _split_types(text: str) -> list[str]:
    """Split a list of types at its commas, except at those within brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "[") - (letter == "]")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def locate_property(pointer: str, name: str) -> str:
    """Build the JSON Pointer of an argument."""
    return f"{pointer}/arguments/{escape_key(name)}"
