"""Tables and their Parquet files: explicit schemas, and the same bytes for the same rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from itertools import accumulate, chain, pairwise
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import replace_file
from exemplars.core.imports import hide_packages
from exemplars.core.records import ROW_VERSION, Turn
from exemplars.core.schemas import derive_schema, derive_type, resolve_field_types, strip_optional

ROWS_PER_GROUP: Final = 8192
"""Rows per Parquet row group: the shard that one worker processes."""
_TURN: Final = derive_type(Turn)

R = TypeVar("R", bound=msgspec.Struct)


def rows_to_table(
    rows: Sequence[msgspec.Struct], record_type: type[msgspec.Struct], names: Sequence[str] | None = None
) -> pa.Table:
    """Build a table of `derive_schema(record_type)` from records, in the order given.

    names: the columns to build; `None`: all.

    >>> from exemplars.core.records import TextPair
    >>> rows_to_table([TextPair("utterance", "call mum", "call mom", 0.8)], TextPair).to_pylist()
    [{'column': 'utterance', 'first': 'call mum', 'second': 'call mom', 'similarity': 0.8}]
    """
    schema = derive_schema(record_type)
    if names is not None:
        schema = pa.schema([schema.field(name) for name in names])
    columns = [_build_column(list(map(attrgetter(field.name), rows)), field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def rows_from_table(table: pa.Table, record_type: type[R]) -> list[R]:
    """Build the records of a table: the inverse of `rows_to_table`. Columns without a field are ignored."""
    hints = resolve_field_types(record_type)
    return list(map(record_type, *(_read_values(table.column(name), hint) for name, hint in hints.items())))


def read_values(column: pa.ChunkedArray, record_type: type[msgspec.Struct], field: str) -> list[Any]:
    """Read a column of texts or numbers as the values of a field, the same object for the same text."""
    encoded = column.combine_chunks().dictionary_encode()
    values = [*_read_values(encoded.dictionary, resolve_field_types(record_type)[field]), None]
    return [values[index] for index in encoded.indices.fill_null(-1).to_pylist()]


# Arrow's own conversion from rows costs several microseconds for each nested value. Building each leaf
# column from a flat list, and the lists and structs from offsets, is about five times as fast.


def _build_column(values: list[Any], type_: pa.DataType) -> pa.Array:
    if pa.types.is_list(type_):
        offsets = [0, *accumulate(map(len, values))]
        flat = list(chain.from_iterable(values))
        items = _build_column(flat, type_.value_type)
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), items, type=type_)
    if type_ == _TURN:
        return _build_shared(values, type_)
    if pa.types.is_struct(type_):
        fields = [type_.field(index) for index in range(type_.num_fields)]
        children = [_build_column(list(map(attrgetter(field.name), values)), field.type) for field in fields]
        return pa.StructArray.from_arrays(children, fields=fields)
    return pa.array(values, type_)


def _build_shared(values: list[Any], type_: pa.DataType) -> pa.Array:
    """Build a struct column in which few objects occur often, as the turns of a dialogue do."""
    codes = pa.array(map(id, values), pa.int64()).dictionary_encode()
    first = dict(zip(map(id, values), values, strict=True))
    unique = [first[key] for key in codes.dictionary.to_pylist()]
    fields = [type_.field(index) for index in range(type_.num_fields)]
    children = [
        _build_column([getattr(value, field.name) for value in unique], field.type) for field in fields
    ]
    return pa.StructArray.from_arrays(children, fields=fields).take(codes.indices)


def _read_values(array: pa.Array, hint: Any) -> list[Any]:
    """Return one value for each entry: records for structs, tuples for lists, members for enums."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    hint = strip_optional(hint)
    if pa.types.is_list(array.type):
        offsets = array.offsets.to_pylist()
        flat = _read_values(array.values, get_args(hint)[0])
        return [tuple(flat[start:end]) for start, end in pairwise(offsets)]
    if array.type == _TURN:
        return _read_shared(array, hint)
    if pa.types.is_struct(array.type):
        columns = zip(array.flatten(), resolve_field_types(hint).values(), strict=True)
        return list(map(hint, *(_read_values(column, inner) for column, inner in columns)))
    values = list(array.to_pylist())
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        members: dict[str | None, StrEnum | None] = {member.value: member for member in hint}
        members[None] = None
        return list(map(members.__getitem__, values))
    return values


def _read_shared(array: pa.StructArray, hint: Any) -> list[Any]:
    """Return one record for each entry, the same object for entries with the same fields: see `_build_shared`."""
    codes = np.zeros(len(array), np.int64)
    for column in array.flatten():
        encoded = column.dictionary_encode()
        codes = codes * (len(encoded.dictionary) + 1) + encoded.indices.fill_null(-1).to_numpy() + 1
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    unique = array.take(pa.array(first, pa.int64()))
    columns = zip(unique.flatten(), resolve_field_types(hint).values(), strict=True)
    records = list(map(hint, *(_read_values(column, inner) for column, inner in columns)))
    return list(map(records.__getitem__, inverse.tolist()))


def prevent_pandas_import() -> None:
    """Keep Arrow from importing pandas in this process, which it does to check whether a list is a Series.

    Saves 0.2 s per process. Arrow's `to_pandas` no longer works in the process.
    """
    with hide_packages("pandas"):
        pa.array([])  # Arrow tries the import once, here.


def take_rows(table: pa.Table, rows: Sequence[int] | NDArray[np.integer[Any]]) -> pa.Table:
    """Take the rows at the given indices, in the order given."""
    return table.take(pa.array(rows, pa.int64()))


def sort_by_id(table: pa.Table) -> pa.Table:
    """Sort rows by their ids (by code points); rows with equal ids keep their order."""
    if is_sorted_by_id(table):
        return table
    ids = table.column("id").to_pylist()
    return take_rows(table, sorted(range(len(ids)), key=ids.__getitem__))


def is_sorted_by_id(table: pa.Table) -> bool:
    """Return whether each row's id is at least that of the row before it."""
    ids = table.column("id")
    # Arrow compares the bytes of UTF-8, which have the order of the code points.
    return pc.all(pc.less_equal(ids[:-1], ids[1:]), min_count=0).as_py() if len(ids) > 1 else True


class TableWriter:
    """Writes the row groups of a Parquet file as their rows come in."""

    def __init__(self, file: pq.ParquetWriter) -> None:
        """file: open, and closed by whoever has opened it."""
        self.num_rows = 0
        """The rows so far."""
        self._file = file
        self._waiting: list[pa.Table] = []
        """The rows since the last row group, fewer than a row group has."""

    def write(self, table: pa.Table) -> None:
        """Add rows."""
        self.num_rows += table.num_rows
        self._waiting.append(table)
        rows = pa.concat_tables(self._waiting)
        start = 0
        while rows.num_rows - start >= ROWS_PER_GROUP:
            self._write_group(rows.slice(start, ROWS_PER_GROUP))
            start += ROWS_PER_GROUP
        self._waiting = [rows.slice(start)]

    def finish(self) -> None:
        """Write the rows that fill no row group; an empty table has one row group without rows."""
        rows = pa.concat_tables(self._waiting or [self._file.schema.empty_table()])
        if rows.num_rows or not self.num_rows:
            self._write_group(rows)
        self._waiting = []

    def _write_group(self, rows: pa.Table) -> None:
        # The bytes of the pages would depend on the boundaries of the chunks.
        self._file.write_table(rows.combine_chunks(), row_group_size=ROWS_PER_GROUP)


@contextmanager
def open_table(path: Path, schema: pa.Schema) -> Iterator[TableWriter]:
    """Open a Parquet file, which takes the place of the old one when the block succeeds.

    Whatever tables its rows come in, the file is the same: zstd, `ROWS_PER_GROUP` rows per group, and no time stamp.
    Raises `OSError`, and then leaves the old file as it was.
    """
    with (
        replace_file(path) as partial,
        pq.ParquetWriter(
            partial, schema, compression="zstd", compression_level=1, write_statistics=False
        ) as file,
    ):
        writer = TableWriter(file)
        yield writer
        writer.finish()


def write_table(path: Path, table: pa.Table) -> None:
    """Write a whole Parquet file as `open_table` does."""
    with open_table(path, table.schema) as writer:
        writer.write(table)


def read_table(path: Path, schema: pa.Schema, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a Parquet file that a stage wrote.

    columns: the columns to read; `None` reads all.
    Raises `UserError` if the file is missing, is not Parquet, or does not have this schema.
    """
    with open_parquet(path, schema) as file:  # `pq.read_table` imports pandas.
        return file.read(columns=None if columns is None else list(columns))


def read_row_groups(path: Path, schema: pa.Schema) -> Iterator[pa.Table]:
    """Read a Parquet file that a stage wrote, one row group after the other; errors as in `read_table`."""
    with open_parquet(path, schema) as file:
        for group in range(file.num_row_groups):
            yield file.read_row_group(group)


def count_rows(path: Path, schema: pa.Schema) -> int:
    """Count the rows of a Parquet file that a stage wrote; errors as in `read_table`."""
    with open_parquet(path, schema) as file:
        return int(file.metadata.num_rows)


@contextmanager
def open_parquet(path: Path, schema: pa.Schema) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file that a stage wrote, to be read in the block; errors as in `read_table`."""
    try:
        with pq.ParquetFile(path) as file:
            found = file.schema_arrow
            if not found.equals(schema):
                problem = _describe_columns(found, schema)
                raise UserError([_unreadable(path, problem, "run `dvc repro` to rebuild it")])
            yield file
    except FileNotFoundError:
        raise UserError([_unreadable(path, "no such file", "run `dvc repro` to make it")]) from None
    except (pa.ArrowInvalid, OSError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise UserError([_unreadable(path, reason, "delete it, then run `dvc repro`")]) from None


def _describe_columns(found: pa.Schema, expected: pa.Schema) -> str:
    """Describe columns that are not the expected ones; those of version 1 by their version."""
    if "turn" in expected.names and "turn" not in found.names and "utterance" in found.names:
        return f"rows of version 1, which have no `turn`; this is version {ROW_VERSION}"
    return "unexpected columns"


def _unreadable(path: Path, found: str, fix: str) -> Diagnostic:
    return Diagnostic(
        path=str(path), code="unreadable_table", found=found, expected="a table of this version", fix=fix
    )
