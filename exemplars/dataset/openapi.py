"""The operations of an OpenAPI document (3.0, 3.1) as tool definitions."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from exemplars.core.documents import decode_json
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.yaml_documents import YamlProblem, decode_yaml
from exemplars.dataset.references import find_target
from exemplars.dataset.schema_forms import normalize_parameters

_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
_JSON: Final = re.compile(r"application/(?:[\w.+-]*\+)?json\b", re.IGNORECASE)
_FORM: Final = re.compile(r"application/x-www-form-urlencoded\b|multipart/form-data\b", re.IGNORECASE)


def parse_openapi(path: str, text: str) -> list[dict[str, Any]]:
    """Parse the operations of a document, in JSON or YAML, into OpenAI-style definitions, in the order of the document.

    An operation is named by its `operationId`, or by its method and path. Its parameters are those of path, query,
    header and cookie, and the properties of a JSON body or a form; a body that is no object is the parameter `body`.
    Their schemas are normalized, as `normalize_parameters` says.
    Raises `UserError` if the document is not OpenAPI 3, or has no operation.
    """
    document = _make_plain(_decode(path, text))
    version = document.get("openapi") if isinstance(document, Mapping) else None
    if not isinstance(document, Mapping) or not str(version).startswith("3."):
        found = "no document of OpenAPI 3" if version is None else f"OpenAPI {version}"
        raise UserError([_problem(path, found, "openapi: 3.0.x or 3.1.x")])
    definitions = list(list_operations(document))
    if not definitions:
        raise UserError([_problem(path, "no operation under paths", "at least one")])
    return definitions


def _decode(path: str, text: str) -> Any:
    try:
        return decode_json(text) if text.lstrip()[:1] == "{" else decode_yaml(text)
    except YamlProblem as problem:
        raise UserError([_problem(path, problem.found, "YAML or JSON", problem.line)]) from None
    except ValueError as error:
        raise UserError([_problem(path, f"what is not JSON ({error})", "YAML or JSON")]) from None


def _make_plain(value: Any) -> Any:
    """Make a value of YAML one of JSON: keys are text, and so are dates."""
    if isinstance(value, Mapping):
        return {_write_key(key): _make_plain(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_make_plain(child) for child in value]
    return value.isoformat() if isinstance(value, datetime.date) else value


def _write_key(key: Any) -> str:
    """Write a key as the author did: YAML reads `on` and `yes` as true, too."""
    return str(key).lower() if isinstance(key, bool) else str(key)


def list_operations(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the definition of each operation of a decoded document; methods may be in any case."""
    paths = document.get("paths")
    for route, raw_item in paths.items() if isinstance(paths, Mapping) else ():
        item = _follow(raw_item, document)
        shared = item.get("parameters")
        for key, operation in item.items():
            method = str(key).casefold()
            if method in _METHODS and isinstance(operation, Mapping):
                yield _build_definition(
                    (method, str(route)), operation, shared if isinstance(shared, list) else [], document
                )


def _follow(value: Any, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow the reference that a value is, and no other; an empty object if it leads to nothing."""
    for _ in range(10):
        if not isinstance(value, Mapping):
            return {}
        if not isinstance(value.get("$ref"), str):
            return value
        value = find_target(value["$ref"], document)
    return {}


def _build_definition(
    place: tuple[str, str], operation: Mapping[str, Any], shared: list[Any], document: Mapping[str, Any]
) -> dict[str, Any]:
    """Build the definition of an operation. place: its method and path. shared: the parameters of its path."""
    own = operation.get("parameters")
    properties: dict[str, Any] = {}
    required: dict[str, bool] = {}
    for raw in [*shared, *(own if isinstance(own, list) else [])]:
        parameter = _follow(raw, document)
        name = parameter.get("name")
        if isinstance(name, str):
            properties[name] = _read_parameter(parameter)
            required[name] = parameter.get("required") is True
    body = _read_body(_follow(operation.get("requestBody"), document), document)
    for name, schema in body["properties"].items():
        if name not in properties:
            properties[name] = schema
            required[name] = name in body["required"]
    parameters = {
        "properties": properties,
        "required": [name for name, is_required in required.items() if is_required],
    }
    method, route = place
    text = operation.get("summary") or operation.get("description") or ""
    return {
        "type": "function",
        "function": {
            "name": str(operation.get("operationId") or f"{method}_{route.strip('/')}"),
            "description": str(text),
            "parameters": normalize_parameters(parameters, document),
        },
    }


def _read_parameter(parameter: Mapping[str, Any]) -> dict[str, Any]:
    """Read the schema of a parameter, which may be that of a media type; its own description goes first."""
    content = parameter.get("content")
    media = next(iter(content.values()), None) if isinstance(content, Mapping) else parameter
    schema = media.get("schema") if isinstance(media, Mapping) else None
    description = parameter.get("description")
    return {
        **(schema if isinstance(schema, Mapping) else {}),
        **({"description": description} if isinstance(description, str) else {}),
    }


def _read_body(body: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """Read the parameters in a body: the properties of an object, or `body` itself."""
    content = body.get("content")
    media = content if isinstance(content, Mapping) else {}
    schemas = [
        entry.get("schema")
        for pattern in (_JSON, _FORM)
        for kind, entry in media.items()
        if pattern.match(str(kind)) and isinstance(entry, Mapping)
    ]
    schema = next((schema for schema in schemas if isinstance(schema, Mapping)), None)
    if schema is None:
        return {"properties": {}, "required": []}
    parameters = normalize_parameters(schema, document)
    if parameters["properties"]:
        return parameters
    return {"properties": {"body": schema}, "required": ["body"] if body.get("required") is True else []}


def _problem(path: str, found: str, expected: str, line: int | None = None) -> Diagnostic:
    fix = "name another file, or correct this one"
    return Diagnostic(path=path, line=line, code="bad_openapi", found=found, expected=expected, fix=fix)
