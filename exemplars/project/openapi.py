"""The operations of an OpenAPI document (3.0, 3.1) as tool definitions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from exemplars.core.documents import decode_json
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.yaml_documents import YamlProblem, decode_yaml
from exemplars.project.references import resolve_references

_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
_JSON_BODY: Final = re.compile(r"application/(?:[\w.+-]*\+)?json\b", re.IGNORECASE)


def parse_openapi(path: str, text: str) -> list[dict[str, Any]]:
    """Parse the operations of a document, in JSON or YAML, into OpenAI-style definitions, in the order of the document.

    An operation is named by its `operationId`, or by its method and path. Its parameters are those of path, query,
    header and cookie, and the properties of a JSON body; one that is not an object is the parameter `body`.
    Raises `UserError` if the document is not OpenAPI 3, or has no operation.
    """
    document = _decode(path, text)
    version = document.get("openapi") if isinstance(document, Mapping) else None
    if not isinstance(document, Mapping) or not str(version).startswith("3."):
        found = "no document of OpenAPI 3" if version is None else f"OpenAPI {version}"
        raise UserError([_problem(path, found, "openapi: 3.0.x or 3.1.x")])
    paths = document.get("paths")
    definitions = list(_list_operations(paths, document)) if isinstance(paths, Mapping) else []
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


def _list_operations(paths: Mapping[str, Any], document: Any) -> Iterator[dict[str, Any]]:
    for route, raw_item in paths.items():
        item = resolve_references(raw_item, document)
        if not isinstance(item, Mapping):
            continue
        shared = item.get("parameters")
        for key, operation in item.items():
            method = str(key).casefold()
            if method in _METHODS and isinstance(operation, Mapping):
                yield _build_definition(
                    str(route), method, operation, shared if isinstance(shared, list) else []
                )


def _build_definition(
    route: str, method: str, operation: Mapping[str, Any], shared: list[Any]
) -> dict[str, Any]:
    name = operation.get("operationId") or f"{method}_{route.strip('/')}"
    own = operation.get("parameters")
    properties: dict[str, Any] = {}
    required: list[str] = []
    for parameter in [*shared, *(own if isinstance(own, list) else [])]:
        if isinstance(parameter, Mapping) and isinstance(parameter.get("name"), str):
            slot = parameter["name"]
            schema = parameter.get("schema")
            description = parameter.get("description")
            properties[slot] = {
                **(schema if isinstance(schema, Mapping) else {}),
                **({"description": description} if isinstance(description, str) else {}),
            }
            if parameter.get("required") is True and slot not in required:
                required.append(slot)
    body, body_required = _read_body(operation.get("requestBody"))
    properties |= {slot: schema for slot, schema in body.items() if slot not in properties}
    required += [slot for slot in body_required if slot not in required]
    text = operation.get("summary") or operation.get("description") or ""
    parameters = {"type": "object", "properties": properties, "required": required}
    return {
        "type": "function",
        "function": {"name": str(name), "description": str(text), "parameters": parameters},
    }


def _read_body(body: Any) -> tuple[dict[str, Any], list[str]]:
    """Read the properties of a JSON body, and the names of the required ones."""
    content = body.get("content") if isinstance(body, Mapping) else None
    media = content if isinstance(content, Mapping) else {}
    schema = next(
        (
            entry.get("schema")
            for kind, entry in media.items()
            if _JSON_BODY.match(str(kind)) and isinstance(entry, Mapping)
        ),
        None,
    )
    if not isinstance(schema, Mapping):
        return {}, []
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return {"body": dict(schema)}, ["body"] if body.get("required") is True else []
    names = schema.get("required")
    return dict(properties), [name for name in names if name in properties] if isinstance(names, list) else []


def _problem(path: str, found: str, expected: str, line: int | None = None) -> Diagnostic:
    fix = "name another file, or correct this one"
    return Diagnostic(path=path, line=line, code="bad_openapi", found=found, expected=expected, fix=fix)
