"""`schemas.json` in its three forms: OpenCUI skills and slots, OpenAI functions, OpenAPI 3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from exemplars.core.documents import RepeatedKeyError, decode_json
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.literals import format_literal
from exemplars.dataset.catalog import TYPES, Parameter, Skill
from stages.ingest.reading import decode_bytes, describe_json_error, lower_first

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_EXPECTED: Final = "OpenCUI skills and slots, a list of OpenAI functions, or an OpenAPI 3 document"
_OPENCUI_TYPES: Final = {"int": "integer", "float": "number", "bool": "boolean"}
_MAX_REFERENCES: Final = 16
"""The longest chain of `$ref` that is followed."""


def parse_schemas(path: str, data: bytes) -> tuple[Skill, ...]:
    """Parse the skills of a `schemas.json`.

    Raises `UserError` if the file is not JSON, with the byte offset, or has none of the three forms.
    """
    try:
        document = decode_json(decode_bytes(path, data))
    except RepeatedKeyError as error:
        raise UserError([describe_json_error(path, data, error, _EXPECTED)]) from None
    except msgspec.DecodeError as error:
        found = lower_first(str(error))
        raise UserError([_bad_schemas(path, found, len(data), summary=f"not JSON: {found}")]) from None
    try:
        skills = msgspec.to_builtins(tuple(_read_skills(document)))
        return msgspec.convert(skills, tuple[Skill, ...])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        found = f"no key {error}" if isinstance(error, KeyError) else str(error)
        raise UserError([_bad_schemas(path, found, 0)]) from None


def _read_skills(document: Any) -> Iterator[Skill]:
    if isinstance(document, list):
        for definition in document:
            yield _read_function(definition.get("function", definition))
    elif "openapi" in document:
        yield from _read_openapi(document)
    elif "skills" in document:
        yield from _read_opencui(document)
    else:
        raise ValueError(f"the keys {', '.join(sorted(document)) or 'of an empty object'}")


def _read_function(function: Mapping[str, Any]) -> Skill:
    """Read an OpenAI function: its parameters are a JSON Schema of an object."""
    parameters = _read_properties(function.get("parameters") or {}, {})
    return Skill(function["name"], function.get("description", ""), parameters)


def _read_opencui(document: Mapping[str, Any]) -> Iterator[Skill]:
    """Read skills that name their slots, and slots with a type; both as lists or as maps by name."""
    slots = {slot.get("name") or key: slot for key, slot in _list_entries(document.get("slots", {}))}
    for key, skill in _list_entries(document["skills"]):
        names = (slot if isinstance(slot, str) else slot["name"] for slot in skill.get("slots", ()))
        yield Skill(
            skill.get("name") or key,
            skill.get("description", ""),
            tuple(_read_parameter(name, slots.get(name, {}), needed=False) for name in names),
        )


def _read_openapi(document: Mapping[str, Any]) -> Iterator[Skill]:
    """Read operations by their ids; if no operation has an id, read the object schemas."""
    operations = [
        operation
        for methods in document.get("paths", {}).values()
        for name, operation in methods.items()
        if name in _METHODS and "operationId" in operation
    ]
    for operation in operations:
        description = operation.get("summary") or operation.get("description") or ""
        yield Skill(operation["operationId"], description, tuple(_read_operation(operation, document)))
    if not operations:
        for name, schema in document.get("components", {}).get("schemas", {}).items():
            if schema.get("type") == "object":
                yield Skill(name, schema.get("description", ""), _read_properties(schema, document))


def _read_operation(operation: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[Parameter]:
    """Read the parameters of an operation, and those of its JSON body."""
    for entry in operation.get("parameters", ()):
        parameter = _resolve_reference(entry, document)
        schema = {
            "description": parameter.get("description", ""),
            **_resolve_reference(parameter.get("schema", {}), document),
        }
        yield _read_parameter(parameter["name"], schema, needed=bool(parameter.get("required")))
    body = _resolve_reference(operation.get("requestBody", {}), document).get("content", {})
    if "application/json" in body:
        body_schema = _resolve_reference(body["application/json"].get("schema", {}), document)
        yield from _read_properties(body_schema, document)


def _read_properties(schema: Mapping[str, Any], document: Mapping[str, Any]) -> tuple[Parameter, ...]:
    required = set(schema.get("required", ()))
    return tuple(
        _read_parameter(name, _resolve_reference(entry, document), needed=name in required)
        for name, entry in schema.get("properties", {}).items()
    )


def _read_parameter(name: str, schema: Mapping[str, Any], *, needed: bool) -> Parameter:
    """Read a parameter. needed: whether the service needs it; a template need not fill it."""
    type_ = schema.get("type", "string")
    known = type_ if type_ in TYPES else _OPENCUI_TYPES.get(type_)
    return Parameter(
        name,
        schema.get("description", ""),
        known or "string",
        tuple(format_literal(value) for value in schema.get("enum", ())),
        recognizer=schema.get("x-recognizer"),
        needed=needed,
    )


def _resolve_reference(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a local `$ref`, and those that it leads to. Raises `ValueError` if they are circular."""
    for _ in range(_MAX_REFERENCES):
        reference = schema.get("$ref")
        if reference is None:
            return schema
        target: Any = document
        for key in str(reference).removeprefix("#/").split("/"):
            target = target[key.replace("~1", "/").replace("~0", "~")]
        schema = target
    raise ValueError("a $ref that leads to itself")


def _list_entries(value: Any) -> list[tuple[str, Mapping[str, Any]]]:
    if isinstance(value, dict):
        return list(value.items())
    return [(entry.get("name", ""), entry) for entry in value]


def _bad_schemas(path: str, found: str, byte: int, summary: str = "") -> Diagnostic:
    return Diagnostic(
        path=path,
        code="bad_schemas",
        byte=byte,
        found=found,
        expected=_EXPECTED,
        fix="correct the file",
        summary=summary,
    )
