"""Tables as Parquet files: explicit schemas, the same bytes for the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from stages.core.errors import Diagnostic, UserError
from stages.core.files import whole_file
from stages.core.imports import left_out

ROWS_A_GROUP: Final = 8192
"""Rows in a Parquet row group: the shard that one worker takes."""


def plain_table(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    """Tuples as a table: their places are the schema's columns."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    return pa.Table.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )


def leave_pandas_out() -> None:
    """Keep Arrow from importing pandas in this process: it does, to ask whether a list is a Series.

    Saves 0.2 s, in each worker too. Afterwards Arrow's `to_pandas` does not work in the process.
    """
    with left_out("pandas"):
        pa.array([])  # Arrow tries once.


def rows_at(table: pa.Table, rows: Sequence[int]) -> pa.Table:
    """The rows at the given places, from 0, in the order given."""
    return table.take(pa.array(rows, pa.int64()))


def sorted_by_id(table: pa.Table) -> pa.Table:
    """The rows in the order of their ids (code points)."""
    ids = table.column("id").to_pylist()
    if all(one <= other for one, other in pairwise(ids)):
        return table
    return rows_at(table, sorted(range(len(ids)), key=ids.__getitem__))


def write_table(path: Path, table: pa.Table) -> None:
    """Write a whole Parquet file: zstd, `ROWS_A_GROUP` rows a group, no clock in it.

    Raises `OSError`; then the old file stays.
    """
    with whole_file(path) as partial:
        pq.write_table(
            # Where one chunk ends and the next begins would show in the bytes of the pages.
            table.combine_chunks(),
            partial,
            row_group_size=ROWS_A_GROUP,
            compression="zstd",
            compression_level=1,
            write_statistics=False,
        )


def read_table(path: Path, schema: pa.Schema, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a Parquet file that a stage wrote.

    columns: only these; null: all.
    Raises `UserError` where the file is missing, is no Parquet, or has another schema.
    """
    try:
        with pq.ParquetFile(path) as file:  # `pq.read_table` imports pandas.
            known = file.schema_arrow.equals(schema)
            table = file.read(columns=None if columns is None else list(columns)) if known else None
    except FileNotFoundError:
        raise UserError([_unreadable(path, "no such file", "run `dvc repro` to make it")]) from None
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError([_unreadable(path, str(error), "delete it, then run `dvc repro`")]) from None
    if table is None:
        raise UserError([_unreadable(path, "other columns", "run `dvc repro` to make it anew")])
    return table


def _unreadable(path: Path, found: str, fix: str) -> Diagnostic:
    return Diagnostic(
        path=str(path), code="unreadable_table", found=found, expected="a table of this version", fix=fix
    )
