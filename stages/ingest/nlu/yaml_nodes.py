"""YAML documents as nodes with their lines, so that each example can be located; aliases are not followed."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

import yaml

from exemplars.core.documents import MAX_DEPTH
from exemplars.core.errors import quote_text
from exemplars.core.yaml_documents import YamlProblem

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""The characters that YAML does not allow."""
_HIDDEN: Final = str.maketrans("\x85\u2028\u2029", "\ufdd0\ufdd1\ufdd2")
_SHOWN: Final = str.maketrans("\ufdd0\ufdd1\ufdd2", "\x85\u2028\u2029")
"""Line ends of YAML that no editor counts as such: the parser gets noncharacters of Unicode in their places."""


class YamlNode(NamedTuple):
    """A value of a document."""

    line: int
    """Where it begins, from 1."""
    text: str | None = None
    """Of a scalar."""
    style: str | None = None
    """Of a scalar: `|`, `>`, a quotation mark, or `None`."""
    items: tuple[YamlNode, ...] | None = None
    """Of a sequence."""
    pairs: tuple[tuple[YamlNode, YamlNode], ...] | None = None
    """Of a mapping, with repeated keys."""
    alias: str | None = None
    """The name of an anchor, if the node is an alias of it."""

    def get(self, key: str) -> YamlNode | None:
        """Return the value of a key of a mapping; `None` if it does not have it."""
        return next((value for name, value in self.pairs or () if name.text == key), None)

    def find_all(self, key: str) -> list[YamlNode]:
        """Find all values of a key that a mapping has once or several times."""
        return [value for name, value in self.pairs or () if name.text == key]

    def find_repeated_key(self) -> str | None:
        """Find a key that the mapping has twice."""
        names = [name.text or "" for name, _ in self.pairs or ()]
        return next((name for index, name in enumerate(names) if name in names[:index]), None)


class _OpenNode:
    """A sequence or mapping whose end is not reached."""

    def __init__(self, line: int, is_mapping: bool) -> None:
        self.line = line
        self.is_mapping = is_mapping
        self.children: list[YamlNode] = []

    def close(self) -> YamlNode:
        if not self.is_mapping:
            return YamlNode(self.line, items=tuple(self.children))
        pairs = zip(self.children[::2], self.children[1::2], strict=True)
        return YamlNode(self.line, pairs=tuple(pairs))


def parse_documents(text: str, first_line: int = 1) -> tuple[YamlNode, ...]:
    """Parse the YAML documents of a text. first_line: the number of its first line.

    Raises `YamlProblem` if it is not YAML, with the line, or too deep.
    """
    forbidden = _FORBIDDEN.search(text)
    if forbidden is not None:
        line = text.count("\n", 0, forbidden.start()) + first_line
        raise YamlProblem(f"the character {forbidden[0]!a}, which YAML does not allow", line)
    root = _OpenNode(first_line, is_mapping=False)
    open_nodes = [root]
    try:
        for event in yaml.parse(text.translate(_HIDDEN), Loader=_LOADER):
            line = (0 if event.start_mark is None else event.start_mark.line) + first_line
            if isinstance(event, yaml.CollectionStartEvent):
                open_nodes.append(_OpenNode(line, isinstance(event, yaml.MappingStartEvent)))
                if len(open_nodes) > MAX_DEPTH:
                    raise YamlProblem(f"values nested more than {MAX_DEPTH} levels deep", line)
            elif isinstance(event, yaml.CollectionEndEvent):
                closed = open_nodes.pop()
                open_nodes[-1].children.append(closed.close())
            elif isinstance(event, yaml.ScalarEvent):
                open_nodes[-1].children.append(YamlNode(line, event.value.translate(_SHOWN), event.style))
            elif isinstance(event, yaml.AliasEvent):
                open_nodes[-1].children.append(YamlNode(line, alias=event.anchor))
    except yaml.YAMLError as error:
        raise _describe_error(error, text, first_line) from None
    return tuple(root.children)


def _describe_error(error: yaml.YAMLError, text: str, first_line: int) -> YamlProblem:
    mark = getattr(error, "problem_mark", None)
    found = str(getattr(error, "problem", None) or "characters that YAML does not allow")
    begin = getattr(error, "context_mark", None)
    if "end of stream" in found and begin is not None:
        mark, found = begin, f"no end {error.context}"  # type: ignore[attr-defined]
    if mark is None:
        return YamlProblem(found, None)
    lines = text.split("\n")
    line = lines[mark.line] if mark.line < len(lines) else ""
    indent = line[: len(line) - len(line.lstrip())]
    if "\t" in indent:
        found = f"a tab that indents {quote_text(line.strip())}"
    return YamlProblem(found.removeprefix("found "), mark.line + first_line)
