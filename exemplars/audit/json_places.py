"""The lines of JSON values: from a JSON Pointer to the place that an editor opens."""

from __future__ import annotations

import re
from json import JSONDecoder
from typing import Final

from exemplars.core.json_pointers import split_pointer

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_decode: Final = JSONDecoder().raw_decode


class JsonPlaces:
    """Finds the lines of values in a JSON text; each object or list on the way is scanned once."""

    def __init__(self, text: str) -> None:
        """text: of a JSON document; of any other text, all values are on line 1."""
        self._text = text
        self._children: dict[int, dict[str, int]] = {}

    def find_line(self, pointer: str) -> int:
        """Find the line (from 1) of the value that a pointer names, or of the last value on the way to it.

        >>> JsonPlaces('[\\n {"turns": [\\n  "hello"]}]').find_line("/0/turns/0")
        3
        """
        return self.find_place(pointer)[0]

    def find_place(self, pointer: str) -> tuple[int, int]:
        """Find the line and the column (from 1, in code points) of a value; as `find_line`.

        >>> JsonPlaces('[\\n {"turns": [\\n  "hello"]}]').find_place("/0/turns/0")
        (3, 3)
        """
        offset = self._skip_space(0)
        for key in split_pointer(pointer):
            child = self._list_children(offset).get(key)
            if child is None:
                break
            offset = child
        return self._text.count("\n", 0, offset) + 1, offset - self._text.rfind("\n", 0, offset)

    def _list_children(self, offset: int) -> dict[str, int]:
        """List the values in the object or list at an offset, by key or index; none of anything else."""
        if offset not in self._children:
            try:
                self._children[offset] = self._scan_children(offset)
            except (ValueError, IndexError, RecursionError):
                self._children[offset] = {}
        return self._children[offset]

    def _scan_children(self, start: int) -> dict[str, int]:
        children: dict[str, int] = {}
        opening = self._text[start : start + 1]
        if opening not in ("{", "["):
            return children
        offset = self._skip_space(start + 1)
        while self._text[offset] not in "}]":
            key = str(len(children))
            if opening == "{":
                key, offset = _decode(self._text, offset)
                offset = self._skip_space(self._text.index(":", offset) + 1)
            children[key] = offset
            _, offset = _decode(self._text, offset)
            offset = self._skip_space(offset)
            if self._text[offset] == ",":
                offset = self._skip_space(offset + 1)
        return children

    def _skip_space(self, offset: int) -> int:
        match = _SPACE.match(self._text, offset)
        return match.end() if match else offset
