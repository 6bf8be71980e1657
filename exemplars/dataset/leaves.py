"""Leaves of arguments as text, and back: without loss, for every type that a JSON Schema may give them.

A leaf of one literal type is written as `format_literal` does. Where a text could be taken for something else, because
its parameter accepts `None` or several types, it is quoted like a string of JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from exemplars.core.literals import format_literal, is_of_type, parse_literal
from exemplars.core.slot_paths import Leaf, Segments, assemble_arguments, flatten_arguments, parse_path
from exemplars.dataset.catalog import Skill
from exemplars.dataset.json_schemas import find_subschema, list_alternatives
from exemplars.dataset.parameters import TYPES, Parameter

_CONTAINERS: Final[dict[str, Leaf]] = {"[]": [], "{}": {}}


def encode_leaf(leaf: Leaf, parameter: Parameter | None) -> str:
    """Write a leaf as text for a `value` column. parameter: that it fills; `None`: it is not declared.

    >>> encode_leaf(5, None), encode_leaf("5", None), encode_leaf("5", Parameter("room"))
    ('5', '"5"', '5')
    """
    if not isinstance(leaf, str):
        return format_literal(leaf)
    return leaf if decode_leaf(leaf, parameter) == leaf else json.dumps(leaf, ensure_ascii=False)


def decode_leaf(text: str, parameter: Parameter | None) -> Leaf:
    """Read a leaf from a `value` column: the inverse of `encode_leaf`.

    A text that is no value of the parameter's type is returned unchanged.

    >>> decode_leaf("5", None), decode_leaf('"5"', None), decode_leaf("[]", None), decode_leaf("None", None)
    (5, '5', [], None)
    """
    type_ = None if parameter is None else parameter.type
    if type_ == "string" and parameter is not None and not parameter.accepts_null:
        return text
    if text == "None" and (type_ is None or parameter is None or parameter.accepts_null):
        return None
    if text.startswith('"') and type_ in ("string", None):
        return _unquote(text)
    if text in _CONTAINERS and type_ not in TYPES:
        return list() if text == "[]" else dict()
    if type_ == "integer" and (value := parse_literal(text, "number")) != text:
        return value if isinstance(value, (int, float)) else text
    value = parse_literal(text, type_)
    return value if isinstance(value, (str, int, float)) else text


def is_leaf_of(leaf: Leaf, parameter: Parameter) -> bool:
    """Return whether a leaf is of its parameter's type.

    >>> is_leaf_of(5, Parameter("a", type="array")), is_leaf_of([], Parameter("a", type="array"))
    (False, True)
    >>> is_leaf_of(5.0, Parameter("n", type="integer")), is_leaf_of(True, Parameter("n", type="integer"))
    (True, False)
    """
    type_ = parameter.type
    if leaf is None:
        return parameter.accepts_null or (type_ is None and parameter.schema is None)
    if isinstance(leaf, list | dict):
        return type_ is None or type_ == ("array" if isinstance(leaf, list) else "object")
    if type_ == "integer" and isinstance(leaf, float):
        return leaf.is_integer()
    return type_ is None or (type_ in TYPES and is_of_type(leaf, type_))


def _unquote(text: str) -> str:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, str) else text


def list_leaves(arguments: dict[str, Any], skill: Skill) -> list[tuple[str, Leaf, Parameter | None]]:
    """List the leaves of a call's arguments: path, leaf, and the parameter that it fills, or `None`.

    Raises `ValueError` if they are nested too deeply.
    """
    return [(path, leaf, skill.find_parameter(path)) for path, leaf in flatten_arguments(arguments)]


def build_arguments(leaves: Iterable[tuple[str, str]], skill: Skill | None) -> dict[str, Any]:
    """Build the arguments of a call from paths and the texts of their values.

    Raises `ValueError` if the paths do not fit together.

    >>> skill = Skill("book", parameters=(Parameter("guests", type="integer"),))
    >>> build_arguments([("guests", "2"), ("names[0]", "Ada")], skill)
    {'guests': 2, 'names': ['Ada']}
    """
    return assemble_arguments(
        (path, decode_leaf(text, None if skill is None else skill.find_parameter(path)))
        for path, text in leaves
    )


def rank_path(path: str, skill: Skill) -> tuple[int, ...]:
    """Return the rank of a leaf in a call: the position of its parameter, then those of its items and members.

    Members have the order of their schema; those that it does not name come last.

    >>> schema = {"type": "object", "properties": {"row": {}, "seat": {}}}
    >>> skill = Skill("book", parameters=(Parameter("day"), Parameter("place", type="object", schema=schema)))
    >>> rank_path("place.seat", skill), rank_path("day", skill)
    ((1, 1), (0,))
    """
    names = [parameter.name for parameter in skill.parameters]
    name, *rest = _split(path)
    root = names.index(name) if name in names else len(names)
    schema = skill.parameters[root].schema if root < len(names) else None
    return (root, *(_rank(schema, tuple(rest[:place]), segment) for place, segment in enumerate(rest)))


def _split(path: str) -> Segments:
    """Split a path; what is no path is a name."""
    try:
        return parse_path(path)
    except ValueError:
        return (path,)


def _rank(schema: Mapping[str, Any] | None, parents: Segments, segment: str | int) -> int:
    if isinstance(segment, int):
        return segment
    parent = None if schema is None else find_subschema(schema, parents)
    options = () if parent is None else list_alternatives(parent)
    members = list(dict.fromkeys(name for option in options for name in option.get("properties") or ()))
    return members.index(segment) if segment in members else len(members)
