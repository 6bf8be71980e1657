"""The leaves of a skill that templates name, and their paths: `<quantity>` may be that of a dish of a list `dishes`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from exemplars.core.literals import format_literal
from exemplars.core.slot_paths import MAX_DEPTH, Segments, format_path, parse_path
from exemplars.dataset.catalog import Skill
from exemplars.dataset.json_schemas import list_alternatives
from exemplars.dataset.parameter_schemas import parse_property
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.recognizers import Recognizers

_ITEM: Final = -1
"""The segment of an item whose index is not known yet."""


class Leaf(NamedTuple):
    """A literal of a skill's arguments."""

    pattern: Segments
    """Its path, with `_ITEM` for each index."""
    parameter: Parameter
    """What it accepts, by its path without indexes: `dishes.quantity`."""
    examples: tuple[str, ...]
    """The values that its schema has as examples."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names that a template may have for it: its path without indexes, and its last name."""
        last = next(segment for segment in reversed(self.pattern) if isinstance(segment, str))
        return tuple(dict.fromkeys((self.parameter.name, last)))


def list_skill_leaves(skill: Skill) -> list[Leaf]:
    """List the leaves of a skill's parameters, in their order."""
    return [leaf for parameter in skill.parameters for leaf in _walk(parameter, (parameter.name,))]


def _walk(parameter: Parameter, pattern: Segments) -> Iterator[Leaf]:
    """Yield the leaves of a parameter, or of a part of one; a part has the recognizer of the whole."""
    if len(pattern) > MAX_DEPTH:
        return
    schema = parameter.schema or {}
    children = list(_list_children(schema, pattern))
    for child, child_schema in children:
        part = parse_property(_name(child), child_schema)
        if part.recognizer is None:
            part = msgspec.structs.replace(part, recognizer=parameter.recognizer)
        yield from _walk(part, child)
    if not children and parameter.type not in ("array", "object"):
        leaf = msgspec.structs.replace(parameter, name=_name(pattern))
        yield Leaf(pattern, leaf, tuple(map(format_literal, _list_examples(schema))))


def add_recognizers(skill: Skill, recognizers: Recognizers) -> Skill:
    """Give the parameters of a skill, and their parts, their recognizers: declared, by `slots`, or by name."""
    parameters = []
    for parameter in skill.parameters:
        schema = None if parameter.schema is None else _annotate(parameter.schema, recognizers)
        own = parameter.recognizer or _find_recognizer(parameter.name, recognizers)
        parameters.append(msgspec.structs.replace(parameter, schema=schema, recognizer=own))
    return msgspec.structs.replace(skill, parameters=tuple(parameters))


def _annotate(schema: Mapping[str, Any], recognizers: Recognizers) -> dict[str, Any]:
    """Add to the properties in a schema the recognizers that their names mean."""
    annotated = dict(schema)
    if isinstance(schema.get("items"), Mapping):
        annotated["items"] = _annotate(schema["items"], recognizers)
    properties = schema.get("properties")
    if isinstance(properties, Mapping):
        annotated["properties"] = {
            name: _annotate_property(name, child, recognizers) for name, child in properties.items()
        }
    return annotated


def _annotate_property(name: str, schema: Any, recognizers: Recognizers) -> Any:
    if not isinstance(schema, Mapping):
        return schema
    recognizer = schema.get("x-recognizer") or _find_recognizer(name, recognizers)
    return {**_annotate(schema, recognizers), **({"x-recognizer": recognizer} if recognizer else {})}


def _find_recognizer(slot: str, recognizers: Recognizers) -> str | None:
    """Find the recognizer of a slot: the one that `slots` gives it, or its namesake."""
    names = (name for name in sorted(recognizers.recognizers) if name.casefold() == slot.casefold())
    return recognizers.slots.get(slot) or next(names, None)


def _list_children(
    schema: Mapping[str, Any], pattern: Segments
) -> Iterator[tuple[Segments, Mapping[str, Any]]]:
    """Yield the properties and the items that a schema declares."""
    for option in list_alternatives(schema):
        properties, items = option.get("properties"), option.get("items")
        for name, child in properties.items() if isinstance(properties, Mapping) else ():
            if isinstance(child, Mapping):
                yield (*pattern, name), child
        if isinstance(items, Mapping):
            yield (*pattern, _ITEM), items


def _list_examples(schema: Mapping[str, Any]) -> list[Any]:
    """List the literals that a schema has as `examples` or `example`."""
    examples = schema.get("examples")
    values = [schema.get("example"), *(examples if isinstance(examples, list) else ())]
    return list(dict.fromkeys(value for value in values if isinstance(value, str | int | float)))


def _name(pattern: Segments) -> str:
    return format_path([segment for segment in pattern if segment != _ITEM])


def find_leaves(name: str, leaves: Sequence[Leaf]) -> list[Leaf]:
    """Find the leaves that a template may mean by a name: at best one.

    A parameter's own name goes first, then a path without indexes, then the last name of a path.
    """
    for meant in (
        [leaf for leaf in leaves if leaf.pattern in ((name,), (name, _ITEM))],
        [leaf for leaf in leaves if leaf.parameter.name == name],
        [leaf for leaf in leaves if name in leaf.names],
        [leaf for leaf in leaves if leaf.pattern == _make_pattern(name)],
    ):
        if meant:
            return meant
    return []


def _make_pattern(path: str) -> Segments:
    try:
        return tuple(_ITEM if isinstance(segment, int) else segment for segment in parse_path(path))
    except ValueError:
        return ()


def assign_paths(mentions: Sequence[tuple[str, Leaf]]) -> list[str]:
    """Assign its path to each mention of a leaf in a template, in the order of mention.

    What is mentioned again belongs to the next item of the list that it is in; a name with indexes says itself which.
    """
    paths: list[str] = []
    indexes: dict[Segments, int] = {}
    for name, leaf in mentions:
        if "[" in name and _make_pattern(name) == leaf.pattern:
            paths.append(name)
            continue
        path = _fill(leaf.pattern, indexes)
        if format_path(path) in paths and _ITEM in leaf.pattern:
            last = len(leaf.pattern) - 1 - leaf.pattern[::-1].index(_ITEM)
            indexes[path[:last]] = indexes.get(path[:last], 0) + 1
            path = _fill(leaf.pattern, indexes)
        paths.append(format_path(path))
    return paths


def _fill(pattern: Segments, indexes: Mapping[Segments, int]) -> Segments:
    """Fill in the index of the item that each list has reached. indexes: by the path of the list."""
    path: Segments = ()
    for segment in pattern:
        path = (*path, indexes.get(path, 0) if segment == _ITEM else segment)
    return path
