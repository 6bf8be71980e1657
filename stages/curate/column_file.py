"""Columns of numbers for all rows: in a file, from which a step reads those that it needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray


class ColumnFile:
    """Columns of the same length."""

    def __init__(self, file: BinaryIO, rows: int, types: Mapping[str, type[np.generic]]) -> None:
        """Fill all columns with zeros. file: empty, open for reading and writing."""
        self._file = file
        self._types = {name: np.dtype(type_) for name, type_ in types.items()}
        self._rows = rows
        self._places: dict[str, int] = {}
        """Where each column begins in the file."""
        place = 0
        for name, type_ in self._types.items():
            self._places[name] = place
            place += rows * type_.itemsize
        if place:
            file.seek(place - 1)
            file.write(b"\0")

    def read(self, name: str, start: int = 0, end: int | None = None) -> NDArray[Any]:
        """Read a column, or the part of it between two rows."""
        count = (self._rows if end is None else end) - start
        values = np.empty(count, self._types[name])
        self._seek(name, start)
        self._file.readinto(values.data)  # type: ignore[attr-defined]
        return values

    def write(self, name: str, start: int, values: NDArray[Any]) -> None:
        """Write a part of a column. start: its first row."""
        self._seek(name, start)
        self._file.write(values.astype(self._types[name]).data)

    def _seek(self, name: str, row: int) -> None:
        self._file.seek(self._places[name] + row * self._types[name].itemsize)

    def take(self, name: str, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Take the values of some rows, in any order."""
        if not len(rows):
            return np.empty(0, self._types[name])
        start, end = int(rows.min()), int(rows.max()) + 1
        return self.read(name, start, end)[rows - start]

    def put(self, name: str, rows: NDArray[np.int64], values: NDArray[Any]) -> None:
        """Give some rows other values. rows: in any order, each once."""
        if len(rows):
            start, end = int(rows.min()), int(rows.max()) + 1
            part = self.read(name, start, end)
            part[rows - start] = values
            self.write(name, start, part)
