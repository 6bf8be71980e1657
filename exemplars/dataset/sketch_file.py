"""Sketches of more texts than fit into memory: in a file, from which they are read one band at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, BinaryIO, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exemplars.dataset.similar_pairs import BANDS, Sketches

_BITMAP_WORDS: Final = 4


class _Part(NamedTuple):
    """The places in the file of what was added at once."""

    keys: int
    bands: int
    sizes: int
    bitmaps: int


class SketchFile:
    """The sketches of texts, and the texts' hashes; a text is named by its number, in the order of `append`."""

    def __init__(self, file: BinaryIO) -> None:
        """file: empty, open for reading and writing."""
        self._file = file
        self._parts: list[_Part] = []
        self._starts = [0]
        """The number of texts before each part, and of all."""

    def append(self, keys: NDArray[np.uint64], sketches: Sketches) -> None:
        """Add texts. keys: their hashes."""
        self._parts.append(
            _Part(
                keys=self._write(keys),
                bands=self._write(sketches.bands.T),
                sizes=self._write(sketches.sizes),
                bitmaps=self._write(sketches.bitmaps),
            )
        )
        self._starts.append(self._starts[-1] + len(keys))

    def _write(self, array: NDArray[Any]) -> int:
        place = self._file.seek(0, os.SEEK_END)
        self._file.write(np.ascontiguousarray(array).tobytes())
        return place

    def read_keys(self) -> NDArray[np.uint64]:
        """Read the hashes of all texts."""
        keys: NDArray[np.uint64] = self._take("keys", np.uint64, np.arange(self._starts[-1]))[:, 0]
        return keys

    def read(
        self, texts: NDArray[np.integer[Any]]
    ) -> tuple[Iterator[NDArray[np.uint32]], NDArray[np.int64], NDArray[np.uint64]]:
        """Read the sketches of some texts: bands, sizes and bitmaps, as `find_candidates` takes them.

        texts: their numbers, in ascending order.
        """
        bands = (self._take("bands", np.uint32, texts, column=band)[:, 0] for band in range(BANDS))
        sizes = self._take("sizes", np.int64, texts)[:, 0]
        return bands, sizes, self._take("bitmaps", np.uint64, texts, width=_BITMAP_WORDS)

    def _take(
        self,
        name: str,
        type_: type[np.generic],
        texts: NDArray[np.integer[Any]],
        width: int = 1,
        column: int = 0,
    ) -> NDArray[Any]:
        """Take the rows of an array of `width` columns, or of one column of it: (texts, width).

        name: a field of `_Part`.
        """
        taken = np.empty((len(texts), width), type_)
        bounds = np.searchsorted(texts, self._starts).tolist()
        for part, (start, end), (first, last) in zip(
            self._parts, pairwise(self._starts), pairwise(bounds), strict=True
        ):
            if first < last:
                size = (end - start) * taken[:1].nbytes
                self._file.seek(getattr(part, name) + column * size)
                values = np.frombuffer(self._file.read(size), type_).reshape(-1, width)
                taken[first:last] = values[texts[first:last] - start]
        return taken
