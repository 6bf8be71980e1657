"""References (`$ref`) of a JSON Schema or OpenAPI document, resolved within the document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

CYCLE: Final = "x-cycle"
"""The key that takes the place of a reference that leads back to a schema it is part of; its value is the reference."""
UNRESOLVED: Final = "x-unresolved"
"""The key that takes the place of a reference to another document, or to nothing."""


def resolve_references(value: Any, document: Any) -> Any:
    """Replace the references in a value by what they refer to in its document.

    A cycle, which has no finite form, is left as `{"x-cycle": "#/..."}`; a reference to another document or to nothing
    as `{"x-unresolved": "..."}`.

    >>> resolve_references({"$ref": "#/a"}, {"a": {"type": "string"}})
    {'type': 'string'}
    >>> resolve_references({"$ref": "#/a"}, {"a": {"items": {"$ref": "#/a"}}})
    {'items': {'x-cycle': '#/a'}}
    """
    return _resolve(value, document, ())


def find_marks(value: Any, mark: str) -> list[str]:
    """Find the references that were left in a resolved value with a mark: `CYCLE` or `UNRESOLVED`."""
    if isinstance(value, Mapping):
        own = [value[mark]] if isinstance(value.get(mark), str) else []
        return own + [reference for child in value.values() for reference in find_marks(child, mark)]
    if isinstance(value, list):
        return [reference for child in value for reference in find_marks(child, mark)]
    return []


def _resolve(value: Any, document: Any, path: tuple[str, ...]) -> Any:
    """Resolve a value. path: the references that led to it."""
    if isinstance(value, list):
        return [_resolve(child, document, path) for child in value]
    if not isinstance(value, Mapping):
        return value
    reference = value.get("$ref")
    if not isinstance(reference, str):
        return {key: _resolve(child, document, path) for key, child in value.items()}
    if reference in path:
        return {CYCLE: reference}
    target = _find_target(reference, document)
    if target is None:
        return {UNRESOLVED: reference}
    others = {key: child for key, child in value.items() if key != "$ref"}
    resolved = _resolve(target, document, (*path, reference))
    if not isinstance(resolved, Mapping):
        return resolved
    return {**resolved, **_resolve(others, document, path)}


def _find_target(reference: str, document: Any) -> Any:
    """Find what a JSON Pointer refers to; `None`: another document, or nothing."""
    if not reference.startswith("#"):
        return None
    target = document
    for part in reference[1:].split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(target, list) and key.isdigit() and int(key) < len(target):
            target = target[int(key)]
        elif isinstance(target, Mapping) and key in target:
            target = target[key]
        else:
            return None
    return target
