"""Where a sequence occurs within another: strings in strings, words in lists of words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

_MAX_COMPARED: Final = 64
"""A longer string is found by its borders: comparing it again at each place would take quadratic time."""


def find_occurrences(items: Sequence[str], wanted: Sequence[str]) -> Iterator[int]:
    """Yield where `wanted` begins in `items`, overlapping occurrences too; nothing if `wanted` is empty.

    Takes time in proportion to the lengths of both (Knuth, Morris and Pratt 1977).

    >>> list(find_occurrences("banana", "ana")), list(find_occurrences(["a", "b", "a"], ["a"]))
    ([1, 3], [0, 2])
    """
    if not wanted or len(wanted) > len(items):
        return
    if isinstance(items, str) and isinstance(wanted, str) and len(wanted) <= _MAX_COMPARED:
        start = items.find(wanted)
        while start >= 0:
            yield start
            start = items.find(wanted, start + 1)
        return
    borders = _list_borders(wanted)
    matched = 0
    for index, item in enumerate(items):
        while matched and (matched == len(wanted) or wanted[matched] != item):
            matched = borders[matched - 1]
        if wanted[matched] == item:
            matched += 1
        if matched == len(wanted):
            yield index - matched + 1


def _list_borders(wanted: Sequence[str]) -> list[int]:
    """List, for each prefix, the length of the longest shorter prefix that it also ends with."""
    borders = [0] * len(wanted)
    length = 0
    for index in range(1, len(wanted)):
        while length and wanted[length] != wanted[index]:
            length = borders[length - 1]
        if wanted[length] == wanted[index]:
            length += 1
        borders[index] = length
    return borders
