"""Typed rows as tables, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from itertools import accumulate, chain, pairwise
from operator import attrgetter
from typing import Any, Final, TypeVar

import pyarrow as pa

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
from stages.core.schemas import (
    ARGUMENT,
    EXEMPLAR_SCHEMA,
    LABEL,
    ORIGIN,
    RECORD_SCHEMA,
    REJECTION_SCHEMA,
    TURN,
)
from stages.core.tables import rows_at

_COMPILED: Final = ("digest", "exemplar", "arguments")
"""The columns of an exemplar that its record does not have, or has in another form."""

R = TypeVar("R")


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
    if type_ == TURN:
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
    _field_names(TURN): Turn,
    _field_names(ORIGIN): Origin,
    _field_names(LABEL): LabelledArgument,
    _field_names(ARGUMENT): Argument,
}
_ENUMS: Final[dict[str, dict[str, StrEnum]]] = {
    name: {member.value: member for member in enum}
    for name, enum in (("speaker", Speaker), ("grounding", Grounding), ("mode", Mode), ("reason", Reason))
}
