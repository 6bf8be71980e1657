"""Paths of the leaves of nested arguments: `location`, `dishes[0].quantity`, `toppings[1]`.

A name that has a dot, a bracket, a quotation mark, an angle bracket or white space is quoted like a string of JSON
in brackets: `["zip.code"]`. So every leaf has exactly one path, and a path without signs is the name itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from exemplars.core.literals import Literal, find_excess

Segments = tuple[str | int, ...]
"""The names and indexes that lead to a leaf."""
Leaf = Literal | None | list[Any] | dict[str, Any]
"""What a path leads to: a literal, `None`, or an empty list or object."""
MAX_DEPTH: Final = 32
"""The number of segments that a path may have."""
TOO_DEEP: Final = f"values nested more than {MAX_DEPTH} deep"

_BARE: Final = re.compile(r"""[^\s.\[\]<>"']+""")
_SEGMENT: Final = re.compile(
    r"""(?P<dot>\.)?(?P<name>[^\s.\[\]<>"']+)|\[(?P<index>0|[1-9]\d*)\]|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]"""
)
_ESCAPES: Final = {"<": "\\u003c", ">": "\\u003e", " ": "\\u0020"}
"""What a template could not have within `<path>`."""


def format_path(segments: Sequence[str | int]) -> str:
    """Format the path of a leaf.

    >>> format_path(("dishes", 0, "quantity")), format_path(("zip.code",))
    ('dishes[0].quantity', '["zip.code"]')
    """
    parts: list[str] = []
    for segment in segments:
        if isinstance(segment, int):
            parts.append(f"[{segment}]")
        elif _BARE.fullmatch(segment):
            parts.append(f".{segment}" if parts else segment)
        else:
            quoted = json.dumps(segment)
            parts.append(f"[{''.join(_ESCAPES.get(letter, letter) for letter in quoted)}]")
    return "".join(parts)


def parse_path(path: str) -> Segments:
    """Parse a path: the inverse of `format_path`. Raises `ValueError` if the text is not a path.

    >>> parse_path("dishes[0].quantity"), parse_path('["zip.code"]')
    (('dishes', 0, 'quantity'), ('zip.code',))
    """
    segments: list[str | int] = []
    position = 0
    while position < len(path):
        match = _SEGMENT.match(path, position)
        if match is None or (match["name"] is not None and bool(match["dot"]) != bool(segments)):
            raise ValueError(f"{path!r} is not a path: see position {position}")
        if match["index"] is not None:
            segments.append(int(match["index"]))
        else:
            segments.append(match["name"] if match["name"] is not None else json.loads(match["quoted"]))
        position = match.end()
    if not segments or isinstance(segments[0], int):
        raise ValueError(f"{path!r} does not begin with a name")
    return tuple(segments)


def is_path(text: str) -> bool:
    """Return whether a text is a path.

    >>> is_path("dishes[0].quantity"), is_path("dishes[0")
    (True, False)
    """
    try:
        parse_path(text)
    except ValueError:
        return False
    return True


def find_root(path: str) -> str:
    """Return the name of the parameter that a path begins with; what is no path is returned unchanged.

    >>> find_root("dishes[0].quantity"), find_root("location")
    ('dishes', 'location')
    """
    if _BARE.fullmatch(path):
        return path
    try:
        return str(parse_path(path)[0])
    except ValueError:
        return path


def generalize_path(path: str) -> str:
    """Remove the indexes of a path, so that the items of a list have one name.

    >>> generalize_path("dishes[12].name"), generalize_path('["a[0]"]')
    ('dishes[].name', '["a[0]"]')
    """
    return _SEGMENT.sub(lambda match: match[0] if match["index"] is None else "[]", path)


def flatten_arguments(arguments: Mapping[str, Any]) -> list[tuple[str, Leaf]]:
    """List the leaves of a call's arguments with their paths, in their order.

    Raises `ValueError` if they are nested more deeply than `MAX_DEPTH`.

    >>> flatten_arguments({"dishes": [{"name": "soup", "count": 2}], "notes": []})
    [('dishes[0].name', 'soup'), ('dishes[0].count', 2), ('notes', [])]
    """
    return [(format_path(segments), leaf) for segments, leaf in _walk(arguments, ()) if segments]


def _walk(value: Any, segments: Segments) -> Iterator[tuple[Segments, Leaf]]:
    children: Iterable[tuple[str | int, Any]]
    if isinstance(value, Mapping) and value:
        children = value.items()
    elif isinstance(value, list) and value:
        children = enumerate(value)
    else:
        yield segments, dict(value) if isinstance(value, Mapping) else value
        return
    if len(segments) == MAX_DEPTH:
        raise ValueError(f"arguments that are nested more than {MAX_DEPTH} deep")
    for key, child in children:
        yield from _walk(child, (*segments, key))


def find_value_excess(value: object, depth: int = 1) -> tuple[str, str] | None:
    """Find what keeps the value of an argument from being stored leaf by leaf: what was found, and what is expected.

    depth: that of the value's path, from 1.

    >>> find_value_excess([{"count": 2**63}])
    ('a larger integer', 'an integer of at most 64 bits')
    """
    if isinstance(value, Mapping):
        children: Iterable[object] = [*value, *value.values()]
    elif isinstance(value, list):
        children = value
    else:
        return find_excess(value)
    if value and depth == MAX_DEPTH:
        return TOO_DEEP, f"at most {MAX_DEPTH} levels"
    return next((excess for child in children if (excess := find_value_excess(child, depth + 1))), None)


def assemble_arguments(leaves: Iterable[tuple[str, Leaf]]) -> dict[str, Any]:
    """Assemble the arguments of a call from its leaves: the inverse of `flatten_arguments`.

    The items of a list may come in any order, but none may be missing.
    Raises `ValueError` if a path is malformed, occurs twice, contradicts an earlier one, or leaves out an item.

    >>> assemble_arguments([("dishes[0].name", "soup"), ("dishes[0].count", 2), ("notes", [])])
    {'dishes': [{'name': 'soup', 'count': 2}], 'notes': []}
    """
    root: dict[str | int, Any] = {}
    for path, leaf in leaves:
        *parents, last = parse_path(path)
        node = root
        for segment in parents:
            child = node.setdefault(segment, _Node())
            if not isinstance(child, _Node):
                raise ValueError(f"{path!r} goes through a value")
            node = child
        if last in node:
            raise ValueError(f"{path!r} is filled twice")
        node[last] = leaf
    return {str(name): _build_value(value, str(name)) for name, value in root.items()}


class _Node(dict[str | int, Any]):
    """An object or a list that is being assembled, by its keys."""


def _build_value(value: Any, path: str) -> Any:
    if not isinstance(value, _Node):
        return value
    indexes = [key for key in value if isinstance(key, int)]
    if not indexes:
        return {key: _build_value(child, f"{path}.{key}") for key, child in value.items()}
    if len(indexes) < len(value):
        raise ValueError(f"{path!r} is both a list and an object")
    if sorted(indexes) != list(range(len(indexes))):
        raise ValueError(f"{path!r} is a list that leaves out an item")
    return [_build_value(value[index], f"{path}[{index}]") for index in range(len(indexes))]
