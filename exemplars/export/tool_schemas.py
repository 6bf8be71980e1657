"""Definitions of tools with the names of types that xLAM and BFCL have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from exemplars.dataset.json_schemas import find_types
from exemplars.export.turns import Document, Tool, strip_tool

_PYTHON_TYPES: Final = {
    "string": "str", "integer": "int", "number": "float", "boolean": "bool", "object": "dict", "array": "list",
    "null": "None",
}  # fmt: skip
_BFCL_TYPES: Final = {"object": "dict", "number": "float"}
_KEYS_OF_ANY: Final = ("description", "enum", "default")
"""What is left of the schema of a parameter that takes several types."""


def build_xlam_function(tool: Tool) -> Document:
    """Build a function with Python's names of types, in which `optional` is part of a type.

    What JSON Schema says besides (listed values, the items of an array) is kept, under its own keys.
    """
    function = strip_tool(tool)["function"]
    required = set(function["parameters"].get("required", ()))
    parameters = {
        name: {
            **_keep_details(schema),
            "type": _name_type(schema) + ("" if name in required else ", optional"),
        }
        for name, schema in function["parameters"].get("properties", {}).items()
    }
    return {"name": function["name"], "description": function["description"], "parameters": parameters}


def build_bfcl_function(tool: Tool) -> Document:
    """Build a function with BFCL's names of types: `dict`, `float`, and `any` for more than one type."""
    function = strip_tool(tool)["function"]
    return {**function, "parameters": _rename_types(function["parameters"])}


def _keep_details(schema: Mapping[str, Any]) -> Document:
    """Copy the schema of a parameter; of one that takes several types, what is true of all of them."""
    if len(_list_types(schema)) == 1:
        return dict(schema)
    return {key: schema[key] for key in _KEYS_OF_ANY if key in schema}


def _list_types(schema: Mapping[str, Any]) -> list[str]:
    """List the JSON types that a schema takes; empty: any."""
    types = find_types(schema) or ()
    return [name for name in _PYTHON_TYPES if name in types]


def _name_type(schema: Mapping[str, Any]) -> str:
    """Name the types of a schema as Python does.

    >>> _name_type({"type": "array", "items": {"type": "integer"}}), _name_type({"type": ["boolean", "string"]})
    ('List[int]', 'Union[str, bool]')
    """
    types = _list_types(schema)
    if types == ["array"] and isinstance(schema.get("items"), Mapping) and _list_types(schema["items"]):
        return f"List[{_name_type(schema['items'])}]"
    names = [_PYTHON_TYPES.get(name, name) for name in types]
    if len(names) > 1:
        return f"Union[{', '.join(names)}]"
    return names[0] if names else "Any"


def _rename_types(schema: Mapping[str, Any]) -> Document:
    types = _list_types(schema)
    if len(types) != 1 or "type" not in schema:
        return {"type": "any", **{key: schema[key] for key in _KEYS_OF_ANY if key in schema}}
    renamed: Document = {**schema, "type": _BFCL_TYPES.get(types[0], types[0])}
    if "properties" in schema:
        renamed["properties"] = {
            name: _rename_types(property_) for name, property_ in schema["properties"].items()
        }
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), Mapping):
            renamed[key] = _rename_types(schema[key])
    if isinstance(schema.get("prefixItems"), list):
        renamed["prefixItems"] = [_rename_types(item) for item in schema["prefixItems"]]
    return renamed
