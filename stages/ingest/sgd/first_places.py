"""Where each dialogue was read first: 16 bytes a dialogue, so that ids are unique among any number of files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exemplars.core.digests import hash_to_int

_RECENT: Final = 4096
"""Dialogues that wait in a dictionary, which takes some 100 bytes for each, until they are sorted into the arrays."""


class FirstPlaces:
    """The first places of dialogues, by hashes of 63 bits: of a million, two have the same once in 15 million times."""

    def __init__(self, recent: int = _RECENT) -> None:
        """recent: how many dialogues are not yet sorted; it changes no result."""
        self._limit = recent
        self._paths: list[str] = []
        self._keys: NDArray[np.int64] = np.empty(0, np.int64)
        """In ascending order."""
        self._places: NDArray[np.int64] = np.empty(0, np.int64)
        """For each key, the number of the file in the upper half, and the index of the dialogue in the lower one."""
        self._recent: dict[int, int] = {}
        """The places of the keys that are not in the arrays."""

    def add(self, path: str, dialogues: Sequence[tuple[int, str]]) -> dict[int, str]:
        """Add the dialogues of a file; return the first places of those that came before, by their indexes.

        dialogues: the index of each in the file, and what no other dialogue should have.

        >>> places = FirstPlaces()
        >>> places.add("a.json", [(0, "x"), (1, "y")]), places.add("b.json", [(0, "z"), (1, "x")])
        ({}, {1: 'a.json#/0'})
        """
        keys = [hash_to_int(name.encode()) for _, name in dialogues]
        number = len(self._paths) << 32
        self._paths.append(path)
        repeated: dict[int, str] = {}
        for (index, _), key, known in zip(dialogues, keys, self._find(keys), strict=True):
            first = self._recent.setdefault(key, number + index) if known < 0 else known
            if first != number + index:
                repeated[index] = f"{self._paths[first >> 32]}#/{first & 0xFFFFFFFF}"
        if len(self._recent) >= self._limit:
            self._sort_recent()
        return repeated

    def _find(self, keys: Sequence[int]) -> list[int]:
        """Find the places of keys in the arrays; -1: it is not there."""
        if not len(self._keys):
            return [-1] * len(keys)
        wanted = np.array(keys, np.int64)
        found = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        places: list[int] = np.where(self._keys[found] == wanted, self._places[found], -1).tolist()
        return places

    def _sort_recent(self) -> None:
        keys = np.array([*self._recent], np.int64)
        order = np.argsort(keys)
        keys, places = keys[order], np.array([*self._recent.values()], np.int64)[order]
        inserted = np.searchsorted(self._keys, keys)
        self._keys = np.insert(self._keys, inserted, keys)
        self._places = np.insert(self._places, inserted, places)
        self._recent.clear()
