"""Sketches of more texts than fit into memory: in a file, from which they are read one band at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from exemplars.dataset.similar_pairs import BANDS, Sketches


class SketchFile:
    """The sketches of texts, part by part."""

    def __init__(self, file: BinaryIO) -> None:
        """file: empty, open for reading and writing."""
        self._file = file
        self._parts: list[tuple[int, int, int, int]] = []
        """The number of texts of each part, and the places of their bands, sizes and bitmaps."""

    def append(self, sketches: Sketches) -> None:
        """Add the sketches of a part."""
        bands, sizes, bitmaps = (
            self._write(sketches.bands.T),
            self._write(sketches.sizes),
            self._write(sketches.bitmaps),
        )
        self._parts.append((len(sketches.sizes), bands, sizes, bitmaps))

    def _write(self, array: NDArray[Any]) -> int:
        place = self._file.seek(0, os.SEEK_END)
        self._file.write(np.ascontiguousarray(array).tobytes())
        return place

    def read_bands(self) -> Iterator[NDArray[np.uint32]]:
        """Read the keys of each band, of all texts."""
        for band in range(BANDS):
            parts = [self._read(bands, band * count, count, np.uint32) for count, bands, _, _ in self._parts]
            yield np.concatenate([np.empty(0, np.uint32), *parts])

    def read_sizes(self) -> NDArray[np.int64]:
        """Read the numbers of shingles of all texts."""
        parts = [self._read(sizes, 0, count, np.int64) for count, _, sizes, _ in self._parts]
        return np.concatenate([np.empty(0, np.int64), *parts])

    def read_bitmaps(self) -> NDArray[np.uint64]:
        """Read the bitmaps of all texts: (texts, 4)."""
        parts = [self._read(bitmaps, 0, 4 * count, np.uint64) for count, _, _, bitmaps in self._parts]
        return np.concatenate([np.empty(0, np.uint64), *parts]).reshape(-1, 4)

    def _read(self, place: int, start: int, count: int, type_: type[np.generic]) -> NDArray[Any]:
        size = np.dtype(type_).itemsize
        self._file.seek(place + start * size)
        return np.frombuffer(self._file.read(count * size), type_)
