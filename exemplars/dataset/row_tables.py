"""Records, exemplars and rejections as tables, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pyarrow as pa

from exemplars.core.records import Exemplar, Record, Rejection
from exemplars.core.schemas import EXEMPLAR_SCHEMA, TEMPLATE_SCHEMA
from exemplars.core.tables import rows_from_table, rows_to_table, take_rows

_COMPILED: Final = ("digest", "exemplar", "arguments")
"""The columns of an exemplar that its record does not have, or has in a different form."""


def records_to_table(records: Sequence[Record]) -> pa.Table:
    """Build a table of `RECORD_SCHEMA`, in the order given."""
    return rows_to_table(records, Record)


def exemplars_to_table(exemplars: Sequence[Exemplar]) -> pa.Table:
    """Build a table of `EXEMPLAR_SCHEMA`, in the order given."""
    return rows_to_table(exemplars, Exemplar)


def rejections_to_table(rejections: Sequence[Rejection]) -> pa.Table:
    """Build a table of `REJECTION_SCHEMA`, in the order given."""
    return rows_to_table(rejections, Rejection)


def select_templates(records: pa.Table) -> pa.Table:
    """Build the table of `TEMPLATE_SCHEMA` of the records that are templates, in their order."""
    templates = records.filter(records.column("is_template"))
    columns = [
        templates.column("utterance" if name == "template" else name) for name in TEMPLATE_SCHEMA.names
    ]
    return pa.Table.from_arrays(columns, schema=TEMPLATE_SCHEMA)


def records_from_table(table: pa.Table) -> list[Record]:
    """Build the records of a table: the inverse of `records_to_table`."""
    return rows_from_table(table, Record)


def exemplars_from_table(table: pa.Table) -> list[Exemplar]:
    """Build the exemplars of a table: the inverse of `exemplars_to_table`."""
    return rows_from_table(table, Exemplar)


def rejections_from_table(table: pa.Table) -> list[Rejection]:
    """Build the rejections of a table: the inverse of `rejections_to_table`."""
    return rows_from_table(table, Rejection)


def replace_columns(exemplars: pa.Table, others: pa.Table) -> pa.Table:
    """Build the table of exemplars with some other columns, of as many rows."""
    columns = [
        (others if name in others.column_names else exemplars).column(name) for name in EXEMPLAR_SCHEMA.names
    ]
    return pa.Table.from_arrays(columns, schema=EXEMPLAR_SCHEMA)


def select_compiled(exemplars: Sequence[Exemplar]) -> pa.Table:
    """Build a table of the columns that `compile` computes, and that records do not have."""
    return rows_to_table(exemplars, Exemplar, _COMPILED)


def join_compiled(records: pa.Table, rows: Sequence[int], compiled: pa.Table) -> pa.Table:
    """Build the table of exemplars from the table of their records.

    rows: for each exemplar, the index of its record. compiled: the exemplars' `select_compiled`.
    Columns that exemplars and records share are copied whole, which is several times as fast as row by row.
    """
    shared = records.select([name for name in EXEMPLAR_SCHEMA.names if name not in _COMPILED])
    copied = take_rows(shared, rows)
    columns = [(compiled if name in _COMPILED else copied).column(name) for name in EXEMPLAR_SCHEMA.names]
    return pa.Table.from_arrays(columns, schema=EXEMPLAR_SCHEMA)
