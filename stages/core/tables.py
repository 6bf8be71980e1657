"""Rows as Arrow tables and Parquet files: explicit schemas, the same bytes for the same rows."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from importlib.abc import MetaPathFinder
from itertools import accumulate, chain, pairwise
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from stages.core.errors import Diagnostic, UserError
from stages.core.files import whole_file
from stages.core.records import (
    Argument,
    Exemplar,
    Grounding,
    LabelledArgument,
    Mode,
    Origin,
    Reason,
    Record,
    Rejection,
    Speaker,
    Turn,
)

ROWS_A_GROUP: Final = 8192
"""Rows in a Parquet row group: the shard that one worker takes."""

_TEXT = pa.string()
_TURN = pa.struct([("speaker", _TEXT), ("utterance", _TEXT)])
_ORIGIN = pa.struct([("path", _TEXT), ("sha256", _TEXT), ("locator", _TEXT)])
_LABEL = pa.struct(
    [
        ("slot", _TEXT),
        ("value", _TEXT),
        ("spoken", pa.list_(_TEXT)),
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("context", pa.bool_()),
    ]
)
_ARGUMENT = pa.struct(
    [
        ("slot", _TEXT),
        ("value", _TEXT),
        ("surface", _TEXT),
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("grounding", _TEXT),
    ]
)

RECORD_SCHEMA: Final = pa.schema(
    [
        ("id", _TEXT),
        ("source", _TEXT),
        ("utterance", _TEXT),
        ("mode", _TEXT),
        ("skill", _TEXT),
        ("service", _TEXT),
        ("arguments", pa.list_(_LABEL)),
        ("context", pa.list_(_TURN)),
        ("group", _TEXT),
        ("license", _TEXT),
        ("origin", _ORIGIN),
        ("exemplar", _TEXT),
        ("split", _TEXT),
        ("today", _TEXT),
    ]
)
EXEMPLAR_SCHEMA: Final = pa.schema(
    [
        ("id", _TEXT),
        ("digest", _TEXT),
        ("source", _TEXT),
        ("service", _TEXT),
        ("skill", _TEXT),
        ("mode", _TEXT),
        ("utterance", _TEXT),
        ("exemplar", _TEXT),
        ("arguments", pa.list_(_ARGUMENT)),
        ("context", pa.list_(_TURN)),
        ("group", _TEXT),
        ("license", _TEXT),
        ("origin", _ORIGIN),
        ("split", _TEXT),
    ]
)
REJECTION_SCHEMA: Final = pa.schema(
    [
        ("id", _TEXT),
        ("source", _TEXT),
        ("stage", _TEXT),
        ("reason", _TEXT),
        ("message", _TEXT),
        ("origin", _ORIGIN),
        ("group", _TEXT),
        ("skill", _TEXT),
        ("slot", _TEXT),
        ("utterance", _TEXT),
    ]
)

PAIR_SCHEMA: Final = pa.schema(
    [("column", _TEXT), ("first", _TEXT), ("second", _TEXT), ("similarity", pa.float64())]
)
"""Two normalized texts of a column (`utterance` or `exemplar`) that are nearly the same."""
REVIEW_SCHEMA: Final = pa.schema(
    [
        ("id", _TEXT),
        ("why", _TEXT),
        ("detail", _TEXT),
        ("score", pa.float64()),
        ("skill", _TEXT),
        ("suggested", _TEXT),
        ("path", _TEXT),
        ("locator", _TEXT),
        ("utterance", _TEXT),
    ]
)
"""What a person should look at: the row, why, and what is suggested."""

TRAINING_SCHEMA: Final = pa.schema(
    [
        ("id", _TEXT),
        ("exemplar_id", _TEXT),
        ("digest", _TEXT),
        ("source", _TEXT),
        ("service", _TEXT),
        ("skill", _TEXT),
        ("mode", _TEXT),
        ("group", _TEXT),
        ("license", _TEXT),
        ("origin", _ORIGIN),
        ("view", _TEXT),
        ("slot", _TEXT),
        ("speech", pa.bool_()),
        ("utterance", _TEXT),
        ("messages", pa.list_(pa.struct([("role", _TEXT), ("content", _TEXT)]))),
        ("tools", _TEXT),
        ("call", _TEXT),
        (
            "answers",
            pa.list_(
                pa.struct(
                    [("slot", _TEXT), ("value", _TEXT), ("accepted", pa.list_(_TEXT)), ("grounding", _TEXT)]
                )
            ),
        ),
        ("input_ids", pa.list_(pa.int32())),
        ("prompt_tokens", pa.int32()),
    ]
)
"""Chat rows: what the loss is computed on, and what a prediction is compared with.

`messages` end with the answer. `tools` are the shown ones as a JSON list of OpenAI-style definitions.
`call` is the skill of the right answer; null: nothing is called. `answers` hold its arguments, with all
values that are right. The first `prompt_tokens` of `input_ids` are masked.
"""

PREDICTION_SCHEMA: Final = pa.schema(
    [
        ("id", _TEXT),
        ("system", _TEXT),
        ("kind", _TEXT),
        ("utterance", _TEXT),
        ("right", _TEXT),
        ("predicted", _TEXT),
        ("ended", pa.bool_()),
        ("source", _TEXT),
        ("skill", _TEXT),
        ("nearest", pa.list_(_TEXT)),
        ("origin", _ORIGIN),
    ]
)
"""What each system says to each test row, what is wrong with it, and the ids of the nearest train rows."""

_COMPILED: Final = ("digest", "exemplar", "arguments")
"""The columns of an exemplar that its record does not have, or has in another form."""

R = TypeVar("R")


def plain_table(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    """Tuples as a table: their places are the schema's columns."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    return pa.Table.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )


class _NoPandas(MetaPathFinder):
    """An import of pandas finds none."""

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        """Raise `ImportError` for pandas; answer nothing for other names, which others then find."""
        if name == "pandas":
            raise ImportError("pandas is left out")


def leave_pandas_out() -> None:
    """Keep Arrow from importing pandas in this process: it does, to ask whether a list is a Series.

    Saves 0.2 s, in each worker too. Afterwards Arrow's `to_pandas` does not work in the process.
    """
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([])  # Arrow tries once.
    finally:
        sys.meta_path.remove(finder)


def record_table(records: Sequence[Record]) -> pa.Table:
    """Records as a table of `RECORD_SCHEMA`, in the order given."""
    return _table(records, RECORD_SCHEMA)


def exemplar_table(exemplars: Sequence[Exemplar]) -> pa.Table:
    """Exemplars as a table of `EXEMPLAR_SCHEMA`, in the order given."""
    return _table(exemplars, EXEMPLAR_SCHEMA)


def compiled_columns(exemplars: Sequence[Exemplar]) -> pa.Table:
    """The columns of exemplars that their records do not have: the part that `compile` finds."""
    columns = {name: EXEMPLAR_SCHEMA.field(name) for name in _COMPILED}
    return _table(exemplars, pa.schema(columns.values()))


def compiled_table(records: pa.Table, rows: Sequence[int], compiled: pa.Table) -> pa.Table:
    """The table of exemplars, of which number n came from row `rows[n]` of the records.

    compiled: their `compiled_columns`. What an exemplar has from its record is taken over column by
    column, which is several times faster than row by row.
    """
    same = records.select([name for name in EXEMPLAR_SCHEMA.names if name not in _COMPILED])
    taken = rows_at(same, rows)
    columns = [(compiled if name in _COMPILED else taken).column(name) for name in EXEMPLAR_SCHEMA.names]
    return pa.Table.from_arrays(columns, schema=EXEMPLAR_SCHEMA)


def rejection_table(rejections: Sequence[Rejection]) -> pa.Table:
    """Rejections as a table of `REJECTION_SCHEMA`, in the order given."""
    return _table(rejections, REJECTION_SCHEMA)


def records_of(table: pa.Table) -> list[Record]:
    """The inverse of `record_table`."""
    return _rows(table, RECORD_SCHEMA, Record)


def exemplars_of(table: pa.Table) -> list[Exemplar]:
    """The inverse of `exemplar_table`."""
    return _rows(table, EXEMPLAR_SCHEMA, Exemplar)


def rejections_of(table: pa.Table) -> list[Rejection]:
    """The inverse of `rejection_table`."""
    return _rows(table, REJECTION_SCHEMA, Rejection)


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


# Arrow's own conversion from rows costs several microseconds a nested value. Building each leaf
# column from a flat list, and the lists and structs from offsets, is about five times as fast.


def _table(rows: Sequence[Any], schema: pa.Schema) -> pa.Table:
    columns = [_column(list(map(attrgetter(field.name), rows)), field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _column(values: list[Any], type_: pa.DataType) -> pa.Array:
    if pa.types.is_list(type_):
        offsets = [0, *accumulate(map(len, values))]
        flat = list(chain.from_iterable(values))
        return pa.ListArray.from_arrays(
            pa.array(offsets, pa.int32()), _column(flat, type_.value_type), type=type_
        )
    if type_ == _TURN:
        return _shared(values, type_)
    if pa.types.is_struct(type_):
        fields = [type_.field(index) for index in range(type_.num_fields)]
        children = [_column(list(map(attrgetter(field.name), values)), field.type) for field in fields]
        return pa.StructArray.from_arrays(children, fields=fields)
    return pa.array(values, type_)


def _shared(values: list[Any], type_: pa.DataType) -> pa.Array:
    """A struct column of which most rows are the same few objects, as the turns of a dialogue are."""
    codes = pa.array(map(id, values), pa.int64()).dictionary_encode()
    first = dict(zip(map(id, values), values, strict=True))
    unique = [first[key] for key in codes.dictionary.to_pylist()]
    fields = [type_.field(index) for index in range(type_.num_fields)]
    children = [_column([getattr(value, field.name) for value in unique], field.type) for field in fields]
    return pa.StructArray.from_arrays(children, fields=fields).take(codes.indices)


def _values(array: pa.Array) -> list[Any]:
    """One row's value an entry; of structs their rows' type, of lists tuples."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_list(array.type):
        offsets = array.offsets.to_pylist()
        flat = _values(array.values)
        return [tuple(flat[start:end]) for start, end in pairwise(offsets)]
    if pa.types.is_struct(array.type):
        names = _field_names(array.type)
        fields = zip(names, array.flatten(), strict=True)
        return list(map(_STRUCTS[names], *(_members(name, _values(field)) for name, field in fields)))
    return list(array.to_pylist())


def _rows(table: pa.Table, schema: pa.Schema, make: Callable[..., R]) -> list[R]:
    """The rows; the fields of `make` stand in the order of the schema."""
    return list(map(make, *(_members(name, _values(table.column(name))) for name in schema.names)))


def _members(name: str, values: list[Any]) -> list[Any]:
    enum = _ENUMS.get(name)
    return values if enum is None else list(map(enum.__getitem__, values))


def _field_names(struct: pa.DataType) -> tuple[str, ...]:
    return tuple(struct.field(index).name for index in range(struct.num_fields))


_STRUCTS: Final[dict[tuple[str, ...], Callable[..., Any]]] = {
    _field_names(_TURN): Turn,
    _field_names(_ORIGIN): Origin,
    _field_names(_LABEL): LabelledArgument,
    _field_names(_ARGUMENT): Argument,
}
_ENUMS: Final[dict[str, dict[str, StrEnum]]] = {
    name: {member.value: member for member in enum}
    for name, enum in (("speaker", Speaker), ("grounding", Grounding), ("mode", Mode), ("reason", Reason))
}
