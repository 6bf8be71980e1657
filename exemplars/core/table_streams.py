"""Tables that are too large to be held as a whole: written in the order of their ids, spooled, merged."""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from exemplars.core.arrays import sort_unique
from exemplars.core.files import replace_file
from exemplars.core.memory import return_large_blocks
from exemplars.core.tables import (
    ROWS_PER_GROUP,
    TableWriter,
    open_table,
    prevent_pandas_import,
    sort_by_id,
    take_rows,
    write_table,
)


def prepare_process() -> None:
    """Prepare this process, and the processes that it starts, for millions of rows.

    They do without pandas and without a search for cycles among the rows, and keep no memory that they have freed.
    """
    prevent_pandas_import()
    gc.disable()  # There are no cycles, and looking for them takes half of the time.
    return_large_blocks()


class TableSink(Protocol):
    """Takes the rows of a table, part by part."""

    def write(self, table: pa.Table) -> None:
        """Take the next rows."""


class SortedWriter:
    """Writes rows by their ids as they come in, and notes whether they come in that order."""

    def __init__(self, writer: TableWriter) -> None:
        """writer: takes the rows."""
        self.is_sorted = True
        self._writer = writer
        self._last_id = ""

    def write(self, table: pa.Table) -> None:
        """Add rows; those of one call may come in any order."""
        if table.num_rows:
            table = sort_by_id(table)
            ids = table.column("id")
            self.is_sorted = self.is_sorted and self._last_id <= ids[0].as_py()
            self._last_id = ids[-1].as_py()
            self._writer.write(table)


@contextmanager
def open_sorted_table(path: Path, schema: pa.Schema) -> Iterator[SortedWriter]:
    """Open a Parquet file as `open_table` does; its rows are sorted by id.

    Only if a part has an id that belongs into an earlier part, the whole table is read again in order to be sorted.
    """
    with replace_file(path) as partial:
        with open_table(partial, schema) as rows:
            writer = SortedWriter(rows)
            yield writer
        if not writer.is_sorted:
            with pq.ParquetFile(partial) as file:
                table = file.read().cast(schema)  # Parquet has names of its own for the items of lists.
            write_table(partial, sort_by_id(table))


def merge_sorted(first: Iterable[pa.Table], second: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Merge two tables by their ids, part by part; of rows with equal ids, those of the first table come first.

    first, second: the parts of each table, in its order, which is sorted by id.
    """
    firsts, seconds = ((part for part in parts if part.num_rows) for parts in (first, second))
    ours, theirs = next(firsts, None), next(seconds, None)
    while ours is not None and theirs is not None:
        last, their_last = (part.column("id")[-1].as_py() for part in (ours, theirs))
        if their_last < last:
            end, their_end = _count_ids(ours, their_last, "right"), theirs.num_rows
        else:
            # A row with the last id of this part may have an equal in the next part, which comes before theirs.
            end, their_end = ours.num_rows, _count_ids(theirs, last, "left")
        yield sort_by_id(pa.concat_tables([ours.slice(0, end), theirs.slice(0, their_end)]))
        ours = ours.slice(end) if end < ours.num_rows else next(firsts, None)
        theirs = theirs.slice(their_end) if their_end < theirs.num_rows else next(seconds, None)
    yield from (part for part in (ours, theirs) if part is not None)
    yield from chain(firsts, seconds)


def _count_ids(table: pa.Table, bound: str, side: Literal["left", "right"]) -> int:
    """Count the rows of a sorted table before an id. side: `right`: those with the id, too."""
    return int(np.searchsorted(table.column("id").to_numpy(), bound, side=side))


class TableSpool:
    """Parts of a table, in a temporary file until it is known what becomes of them."""

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        """file: empty, open for reading and writing."""
        self.starts = [0]
        """The number of rows before each part, and of all rows."""
        self._file = file
        self._schema = schema
        self._places: list[int] = []

    def append(self, part: pa.Table) -> int:
        """Add a part; return its number, from 0."""
        self._places.append(self._file.seek(0, os.SEEK_END))
        with pa.ipc.new_stream(self._file, self._schema) as stream:
            stream.write_table(part.combine_chunks())
        self.starts.append(self.starts[-1] + part.num_rows)
        return len(self._places) - 1

    def read_parts(self) -> Iterator[pa.Table]:
        """Read the parts, in their order."""
        yield from map(self.read_part, range(len(self._places)))

    def read_column(self, name: str) -> NDArray[Any]:
        """Read a column of numbers."""
        column = np.empty(self.starts[-1], self._schema.field(name).type.to_pandas_dtype())
        for start, part in zip(self.starts, self.read_parts(), strict=False):
            column[start : start + part.num_rows] = part.column(name).to_numpy()
        return column

    def read_by_id(self) -> Iterator[pa.Table]:
        """Read all rows, sorted by id, in tables of at most `ROWS_PER_GROUP`; of all rows, their ids are in memory."""
        # A column is a view of its whole part until it is copied.
        ids = [take_rows(part.select(["id"]), range(part.num_rows)) for part in self.read_parts()]
        names = pa.concat_tables([self._schema.empty_table().select(["id"]), *ids]).column("id")
        order = pc.sort_indices(names).to_numpy()
        del ids, names
        for start in range(0, len(order), ROWS_PER_GROUP):
            yield sort_by_id(self.take(np.sort(order[start : start + ROWS_PER_GROUP])))

    def take(self, rows: Sequence[int] | NDArray[np.integer[Any]]) -> pa.Table:
        """Take rows by their numbers, which are in ascending order, each once."""
        wanted = np.asarray(rows, np.int64)
        numbers = np.searchsorted(self.starts, wanted, side="right") - 1
        parts = [self._schema.empty_table()]
        for number in sort_unique(numbers).tolist():
            part = self.read_part(number)
            places = wanted[numbers == number] - self.starts[number]
            parts.append(part if len(places) == part.num_rows else take_rows(part, places))
        return pa.concat_tables(parts)

    def read_part(self, number: int) -> pa.Table:
        """Read a part by its number."""
        self._file.seek(self._places[number])
        with pa.ipc.open_stream(self._file) as stream:
            return stream.read_all()


@contextmanager
def open_unnamed(folder: Path) -> Iterator[BinaryIO]:
    """Open a file on the disk of a folder; nothing is left of it if the process is killed, since it has no name.

    Raises `OSError` if the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        yield file


@contextmanager
def open_spool(folder: Path, schema: pa.Schema) -> Iterator[TableSpool]:
    """Open a spool on the disk of a folder, as `open_unnamed` does."""
    with open_unnamed(folder) as file:
        yield TableSpool(file, schema)
