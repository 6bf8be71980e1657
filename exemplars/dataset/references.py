"""References (`$ref`) of a JSON Schema or OpenAPI document, resolved within the document."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

from exemplars.core.json_pointers import split_pointer
from exemplars.core.slot_paths import MAX_DEPTH
from exemplars.dataset.json_schemas import walk_schema

CYCLE: Final = "x-cycle"
"""The key that takes the place of a reference that leads back to a schema it is part of; its value is the reference."""
UNRESOLVED: Final = "x-unresolved"
"""The key that takes the place of a reference to another document, or to nothing."""
TOO_LARGE: Final = "x-too-large"
"""The key that takes the place of a reference where the schema has grown beyond all bounds."""
_MAX_PARTS: Final = 20_000
"""The number of lists and objects that one schema may grow to: references double it with each level."""
_SENTENCES: Final = {
    CYCLE: "leads back to {}, a schema that it is part of: what is nested there is not checked",
    UNRESOLVED: "refers to {}, which is not in the file: any value is accepted there",
    TOO_LARGE: f"is cut at {{}}: with its references it is nested more than {MAX_DEPTH} deep, or has more than "
    f"{_MAX_PARTS:,} parts",
}


MARKS: Final = frozenset(_SENTENCES)
"""The keys that take the place of references."""
Amend = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
"""Returns what takes the place of a reference, given it and what it refers to."""


class _Resolution:
    """The resolution of one value. documents: where references are looked up, the nearest first."""

    def __init__(self, documents: Sequence[Any], amend: Amend | None) -> None:
        self.documents = documents
        self.amend = amend
        self.parts = 0

    def resolve(self, value: Any, path: tuple[str, ...] = ()) -> Any:
        """Resolve a value. path: the references that led to it."""
        if isinstance(value, list):
            return [self.resolve(child, path) for child in value]
        if not isinstance(value, Mapping):
            return value
        self.parts += 1
        reference = value.get("$ref")
        if not isinstance(reference, str):
            return {key: self.resolve(child, path) for key, child in value.items()}
        if reference in path:
            return {CYCLE: reference}
        if len(path) == MAX_DEPTH or self.parts > _MAX_PARTS:
            return {TOO_LARGE: reference}
        targets = (find_target(reference, document) for document in self.documents)
        target = next((target for target in targets if target is not None), None)
        if target is None:
            return {UNRESOLVED: reference}
        others = {key: child for key, child in value.items() if key != "$ref"}
        resolved = self.resolve(target, (*path, reference))
        if not isinstance(resolved, Mapping):
            return resolved
        united = {**resolved, **self.resolve(others, path)}
        return united if self.amend is None else self.amend(reference, united)


def resolve_references(value: Any, *documents: Any, amend: Amend | None = None) -> Any:
    """Replace the references in a value by what they refer to.

    A cycle, which has no finite form, is left as `{"x-cycle": "#/..."}`; a reference to another document or to nothing
    as `{"x-unresolved": "..."}`; one that would make the value too large as `{"x-too-large": "..."}`.

    documents: that the value is a part of, the nearest first. amend: changes what takes the place of each reference.

    >>> resolve_references({"$ref": "#/a"}, {"a": {"type": "string"}})
    {'type': 'string'}
    >>> resolve_references({"$ref": "#/a"}, {"a": {"items": {"$ref": "#/a"}}})
    {'items': {'x-cycle': '#/a'}}
    """
    return _Resolution(documents, amend).resolve(value)


def describe_marks(schema: Any, name: str) -> list[str]:
    """Describe the references that could not be resolved: each with its first place, as a sentence.

    name: of the parameter that the schema describes.

    >>> describe_marks({"type": "array", "items": {"x-cycle": "#/$defs/Dish"}}, "dishes")
    ['dishes[] leads back to #/$defs/Dish, a schema that it is part of: what is nested there is not checked']
    """
    sentences: dict[tuple[str, str], str] = {}
    for place, child in walk_schema(schema, name):
        for mark, sentence in _SENTENCES.items():
            reference = child.get(mark)
            if isinstance(reference, str):
                sentences.setdefault((mark, reference), f"{place} {sentence.format(reference)}")
    return list(sentences.values())


def find_target(reference: str, document: Any) -> Any:
    """Find what a reference within a document, `#` and a JSON Pointer, refers to; `None`: nothing in it."""
    if reference != "#" and not reference.startswith("#/"):
        return None
    target = document
    for key in split_pointer(unquote(reference[1:])):
        if isinstance(target, list) and key.isdigit() and int(key) < len(target):
            target = target[int(key)]
        elif isinstance(target, Mapping) and key in target:
            target = target[key]
        else:
            return None
    return target
