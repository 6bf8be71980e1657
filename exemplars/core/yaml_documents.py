"""YAML documents that a user wrote, decoded within bounds of depth and size."""

from __future__ import annotations

import functools
from typing import Any, Final

import yaml

from exemplars.core.documents import MAX_DEPTH

MAX_NODES: Final = 100_000
"""The greatest number of values in a document, each alias counted as all that it stands for."""
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlProblem(Exception):
    """A text that is not YAML, or not within the bounds."""

    def __init__(self, found: str, line: int | None = None) -> None:
        """line: where, from 1, if that is known."""
        super().__init__(found)
        self.found = found
        self.line = line


def decode_yaml(text: str) -> Any:
    """Decode a YAML document of plain values. Raises `YamlProblem` if it is not YAML, or not within the bounds.

    >>> decode_yaml("a: [1, b]")
    {'a': [1, 'b']}
    """
    try:
        _check_yaml(text)
        return yaml.load(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        found = str(getattr(error, "problem", None) or "characters that YAML does not allow")
        raise YamlProblem(found.removeprefix("found "), None if mark is None else mark.line + 1) from None
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        # Of a value that its form promises and its content does not keep: the date 2024-13-45.
        raise YamlProblem(f"a value that cannot be read: {error}") from None


@functools.lru_cache(maxsize=1)
def compose_yaml(text: str) -> Any:
    """Compose the nodes of a document that `decode_yaml` accepts: they know their lines.

    Remembered, since each message about a line asks for them.
    """
    return yaml.compose(text, Loader=_LOADER)


def _check_yaml(text: str) -> None:
    """Count depth and values from the events of a document, before anything is built of them."""
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []
    total = 0
    for event in yaml.parse(text, Loader=_LOADER):
        line = None if event.start_mark is None else event.start_mark.line + 1
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            if anchor is not None:
                sizes[anchor] = total - before + 1
            continue
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise YamlProblem(f"an alias of {event.anchor!r}, which is not complete before it", line)
            total += sizes[event.anchor]
        elif isinstance(event, yaml.NodeEvent):
            total += 1
            if isinstance(event, yaml.CollectionStartEvent):
                open_nodes.append((event.anchor, total))
            elif event.anchor is not None:
                sizes[event.anchor] = 1
        if len(open_nodes) > MAX_DEPTH:
            raise YamlProblem(f"values nested more than {MAX_DEPTH} levels deep", line)
        if total > MAX_NODES:
            raise YamlProblem(f"more than {MAX_NODES:,} values, counting each alias in full", line)
