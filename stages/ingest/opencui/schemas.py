"""`schemas.json` in its three forms: OpenCUI skills and slots, OpenAI functions, OpenAPI 3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.literals import format_literal
from exemplars.dataset.catalog import TYPES, Parameter, Skill
from stages.ingest.reading import decoded_bytes

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_EXPECTED: Final = "OpenCUI skills and slots, a list of OpenAI functions, or an OpenAPI 3 document"


def parse_schemas(path: str, data: bytes) -> tuple[Skill, ...]:
    """The skills of a `schemas.json`.

    Raises `UserError` for what is no JSON, with the byte offset, and for JSON of another shape.
    """
    try:
        document = msgspec.json.decode(decoded_bytes(path, data))
    except msgspec.DecodeError as error:
        raise UserError([_problem(path, str(error), len(data))]) from None
    try:
        return tuple(_skills(document))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        found = f"no key {error}" if isinstance(error, KeyError) else str(error)
        raise UserError([_problem(path, found, 0)]) from None


def _skills(document: Any) -> Iterator[Skill]:
    if isinstance(document, list):
        for one in document:
            yield _function(one.get("function", one))
    elif "openapi" in document:
        yield from _openapi(document)
    elif "skills" in document:
        yield from _opencui(document)
    else:
        raise ValueError(f"the keys {', '.join(sorted(document)) or 'of an empty object'}")


def _function(function: Mapping[str, Any]) -> Skill:
    """An OpenAI function: its parameters are a JSON Schema of an object."""
    return Skill(
        function["name"], function.get("description", ""), _properties(function.get("parameters") or {}, {})
    )


def _opencui(document: Mapping[str, Any]) -> Iterator[Skill]:
    """Skills that name their slots, and slots with a type; both as lists or as maps by name."""
    slots = {one.get("name") or key: one for key, one in _entries(document.get("slots", {}))}
    for key, one in _entries(document["skills"]):
        yield Skill(
            one.get("name") or key,
            one.get("description", ""),
            tuple(
                _parameter(name, slots.get(name, {}), required=False)
                for name in (slot if isinstance(slot, str) else slot["name"] for slot in one.get("slots", ()))
            ),
        )


def _openapi(document: Mapping[str, Any]) -> Iterator[Skill]:
    """Operations by their ids; and, where no operation has an id, the object schemas."""
    operations = [
        operation
        for methods in document.get("paths", {}).values()
        for name, operation in methods.items()
        if name in _METHODS and "operationId" in operation
    ]
    for operation in operations:
        description = operation.get("summary") or operation.get("description") or ""
        yield Skill(operation["operationId"], description, tuple(_operation_parameters(operation, document)))
    if not operations:
        for name, schema in document.get("components", {}).get("schemas", {}).items():
            if schema.get("type") == "object":
                yield Skill(name, schema.get("description", ""), _properties(schema, document))


def _operation_parameters(operation: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[Parameter]:
    for raw in operation.get("parameters", ()):
        one = _resolved(raw, document)
        schema = {"description": one.get("description", ""), **_resolved(one.get("schema", {}), document)}
        yield _parameter(one["name"], schema, required=bool(one.get("required")))
    body = _resolved(operation.get("requestBody", {}), document).get("content", {})
    if "application/json" in body:
        yield from _properties(_resolved(body["application/json"].get("schema", {}), document), document)


def _properties(schema: Mapping[str, Any], document: Mapping[str, Any]) -> tuple[Parameter, ...]:
    required = set(schema.get("required", ()))
    return tuple(
        _parameter(name, _resolved(one, document), required=name in required)
        for name, one in schema.get("properties", {}).items()
    )


def _parameter(name: str, schema: Mapping[str, Any], *, required: bool) -> Parameter:
    type_ = schema.get("type", "string")
    known = type_ if type_ in TYPES else {"int": "integer", "float": "number", "bool": "boolean"}.get(type_)
    return Parameter(
        name,
        schema.get("description", ""),
        known or "string",
        tuple(format_literal(value) for value in schema.get("enum", ())),
        required,
        schema.get("x-recognizer"),
    )


def _resolved(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a local `$ref` points to; a chain of them is followed a bounded number of times."""
    for _ in range(16):
        reference = schema.get("$ref")
        if reference is None:
            return schema
        target: Any = document
        for key in str(reference).removeprefix("#/").split("/"):
            target = target[key.replace("~1", "/").replace("~0", "~")]
        schema = target
    raise ValueError("a $ref that leads to itself")


def _entries(value: Any) -> list[tuple[str, Mapping[str, Any]]]:
    return list(value.items()) if isinstance(value, dict) else [(one.get("name", ""), one) for one in value]


def _problem(path: str, found: str, byte: int) -> Diagnostic:
    return Diagnostic(
        path=path, code="bad_schemas", byte=byte, found=found, expected=_EXPECTED, fix="correct the file"
    )
