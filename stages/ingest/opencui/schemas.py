"""`schemas.json` in its three forms: OpenCUI skills and slots, OpenAI functions, OpenAPI 3."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from exemplars.core.documents import RepeatedKeyError, decode_json
from exemplars.core.errors import Diagnostic, UserError
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameter_schemas import parse_property
from exemplars.dataset.parameters import TYPES, Parameter
from exemplars.dataset.references import MARKS, resolve_references
from stages.ingest.reading import decode_bytes, describe_json_error, lower_first

_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_EXPECTED: Final = "OpenCUI skills and slots, a list of OpenAI functions, or an OpenAPI 3 document"
_OPENCUI_TYPES: Final = {"int": "integer", "float": "number", "bool": "boolean"}
_JSON_TYPES: Final = frozenset({*TYPES, "array", "object"})
_SAYS_TYPE: Final = MARKS | {"enum", "anyOf", "oneOf", "allOf", "properties", "items"}
"""A schema that has none of these keys, nor a type, is that of a text."""
Schema = Mapping[str, Any]
"""A JSON Schema, decoded."""


class _Document(NamedTuple):
    """A decoded file, and what the other files of the bot say about it."""

    content: Any
    recognizers: Mapping[str, str]
    """The names of recognizers, by the same names without regard to case."""
    called: frozenset[str]
    """The skills that have templates."""


def parse_schemas(
    path: str, data: bytes, recognizers: Iterable[str] = (), called: Iterable[str] = ()
) -> tuple[Skill, ...]:
    """Parse the skills of a `schemas.json`; the parts of arrays and objects are under `Parameter.schema`.

    recognizers: the names of the bot's recognizers, which types may refer to. called: the skills that have templates.
    Raises `UserError` if the file is not JSON, with the byte offset, or has none of the three forms.
    """
    try:
        content = decode_json(decode_bytes(path, data))
    except RepeatedKeyError as error:
        raise UserError([describe_json_error(path, data, error, _EXPECTED)]) from None
    except msgspec.DecodeError as error:
        found = lower_first(str(error))
        raise UserError([_bad_schemas(path, found, len(data), summary=f"not JSON: {found}")]) from None
    document = _Document(content, {name.casefold(): name for name in recognizers}, frozenset(called))
    try:
        skills = msgspec.to_builtins(tuple(_read_skills(document)))
        return msgspec.convert(skills, tuple[Skill, ...])
    except (TypeError, AttributeError):  # Python's words for it name no place in the file.
        raise UserError([_bad_schemas(path, "a value where an object or a list belongs", 0)]) from None
    except (KeyError, ValueError) as error:
        found = f"no key {error}" if isinstance(error, KeyError) else str(error)
        raise UserError([_bad_schemas(path, found, 0)]) from None


def _read_skills(document: _Document) -> Iterator[Skill]:
    content = document.content
    if isinstance(content, list):
        for definition in content:
            yield _read_function(definition.get("function", definition), document)
    elif "openapi" in content:
        yield from _read_openapi(document)
    elif "skills" in content:
        yield from _read_opencui(document)
    else:
        raise ValueError(f"the keys {', '.join(sorted(content)) or 'of an empty object'}")


def _read_function(function: Schema, document: _Document) -> Skill:
    """Read an OpenAI function: its parameters are a JSON Schema of an object, which may have definitions of its own."""
    own = document._replace(content=function.get("parameters") or {})
    return Skill(function["name"], function.get("description", ""), _read_properties(own.content, own))


def _read_opencui(document: _Document) -> Iterator[Skill]:
    """Read skills that name their slots, and slots with a type; both as lists or as maps by name."""
    content = document.content
    slots = {slot.get("name") or key: slot for key, slot in _list_entries(content.get("slots", {}))}
    for key, skill in _list_entries(content["skills"]):
        names = (slot if isinstance(slot, str) else slot["name"] for slot in skill.get("slots", ()))
        yield Skill(
            skill.get("name") or key,
            skill.get("description", ""),
            tuple(_read_parameter(name, slots.get(name, {}), document, needed=False) for name in names),
        )


def _read_openapi(document: _Document) -> Iterator[Skill]:
    """Read operations by their ids, and object schemas that no operation is called like.

    A schema that is called like an operation has the parameters that the operation itself does not declare. A schema
    that others refer to is a part of them, and a skill only if it has templates.
    """
    objects = {
        name: schema
        for name, schema in document.content.get("components", {}).get("schemas", {}).items()
        if schema.get("type") == "object"
    }
    operations = list(_list_operations(document.content))
    for operation, shared in operations:
        name = operation["operationId"]
        parameters = tuple(_read_operation(operation, shared, document))
        schema = objects.get(name, {})
        description = (
            operation.get("summary") or operation.get("description") or schema.get("description") or ""
        )
        yield Skill(name, description, parameters or _read_properties(schema, document))
    taken = {operation["operationId"] for operation, _ in operations}
    parts = frozenset(_list_references(document.content))
    for name, schema in objects.items():
        is_part = f"#/components/schemas/{name}" in parts
        if name not in taken and (name in document.called or not (is_part or operations)):
            yield Skill(name, schema.get("description", ""), _read_properties(schema, document))


def _list_operations(content: Schema) -> Iterator[tuple[Schema, Sequence[Schema]]]:
    """Yield the operations with an id, each with the parameters of its path; methods may be in any case."""
    for item in content.get("paths", {}).values():
        for name, operation in item.items():
            if name.casefold() in _METHODS and "operationId" in operation:
                yield operation, item.get("parameters", ())


def _list_references(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for child in value.values():
            yield from _list_references(child)
    elif isinstance(value, list):
        for child in value:
            yield from _list_references(child)


def _read_operation(operation: Schema, shared: Sequence[Schema], document: _Document) -> Iterator[Parameter]:
    """Read the parameters of an operation, and those of its JSON body. shared: those of its path."""
    entries = [_resolve_whole(entry, document) for entry in (*shared, *operation.get("parameters", ()))]
    for name, entry in {entry["name"]: entry for entry in entries}.items():
        schema = {
            "description": entry.get("description", ""),
            **{key: entry[key] for key in ("example",) if key in entry},
            **entry.get("schema", {}),
        }
        yield _read_parameter(name, schema, document, needed=bool(entry.get("required")))
    body = _resolve_whole(operation.get("requestBody", {}), document).get("content", {})
    if "application/json" in body:
        yield from _read_properties(body["application/json"].get("schema", {}), document)


def _read_properties(schema: Schema, document: _Document) -> tuple[Parameter, ...]:
    resolved = _resolve(schema, document)
    required = set(resolved.get("required", ()))
    return tuple(
        _read_parameter(name, entry, document, needed=name in required)
        for name, entry in resolved.get("properties", {}).items()
    )


def _read_parameter(name: str, schema: Schema, document: _Document, *, needed: bool) -> Parameter:
    """Read a parameter. needed: whether the service needs it; a template need not fill it."""
    parameter = parse_property(name, _name_types(_resolve(schema, document), document))
    return msgspec.structs.replace(parameter, needed=needed)


def _name_types(schema: Any, document: _Document) -> Any:
    """Replace OpenCUI's types, also in the parts of a schema: another name is that of a recognizer, or of text."""
    if not isinstance(schema, Mapping):
        return schema
    type_ = schema.get("type")
    if not isinstance(schema.get("x-recognizer", ""), str):
        raise ValueError(f"x-recognizer {schema['x-recognizer']!r}, expected a name")
    named = dict(schema)
    if type_ is None and not schema.keys() & _SAYS_TYPE:
        named["type"] = "string"
    elif isinstance(type_, str) and type_ not in _JSON_TYPES:
        named["type"] = _OPENCUI_TYPES.get(type_, "string")
        if type_.casefold() in document.recognizers:
            named.setdefault("x-recognizer", document.recognizers[type_.casefold()])
    if isinstance(schema.get("properties"), Mapping):
        if "required" in named:  # What the service needs, and no call must have: the bot asks for it.
            named["x-required"] = named.pop("required")
        named["properties"] = {
            name: _name_types(child, document) for name, child in schema["properties"].items()
        }
    if "items" in schema:
        named["items"] = _name_types(schema["items"], document)
    return named


def _resolve(value: Any, document: _Document) -> Any:
    """Replace each `$ref` by what it refers to.

    A schema that is called like a recognizer is a type whose values it knows.
    """

    def add_recognizer(reference: str, resolved: Mapping[str, Any]) -> Mapping[str, Any]:
        recognizer = document.recognizers.get(reference.rpartition("/")[2].casefold())
        is_type = recognizer is not None and "properties" not in resolved
        return {"x-recognizer": recognizer, **resolved} if is_type else resolved

    return resolve_references(value, document.content, amend=add_recognizer)


def _resolve_whole(value: Any, document: _Document) -> Any:
    """Resolve what is no schema. Raises `ValueError` if it refers to itself, or to nothing in the file."""
    resolved = _resolve(value, document)
    if isinstance(resolved, Mapping) and (marks := MARKS & resolved.keys()):
        reference = resolved[min(marks)]
        raise ValueError(f"the $ref {reference!r}, which leads to itself or to nothing in the file")
    return resolved


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
