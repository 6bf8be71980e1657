"""The tables of the stage, open for rows that come part by part."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from exemplars.core import layout
from exemplars.core.reviews import RowEdit
from exemplars.core.schemas import EXEMPLAR_SCHEMA, REJECTION_SCHEMA, TEMPLATE_SCHEMA, derive_schema
from exemplars.core.table_streams import TableSpool, open_sorted_table, open_spool
from exemplars.core.tables import open_table
from stages.compile.compilation import CompiledSinks


@contextmanager
def open_outputs() -> Iterator[tuple[TableSpool, CompiledSinks]]:
    """Open the spool and the tables of the stage, which take the places of the old ones when the block succeeds."""
    exemplars, rejections, templates = layout.COMPILED
    with (
        open_spool(exemplars.parent, EXEMPLAR_SCHEMA) as spool,
        open_sorted_table(exemplars, EXEMPLAR_SCHEMA) as kept,
        open_sorted_table(rejections, REJECTION_SCHEMA) as ledger,
        open_sorted_table(templates, TEMPLATE_SCHEMA) as unfilled,
        open_table(layout.EDITS, derive_schema(RowEdit)) as edits,
    ):
        yield spool, CompiledSinks(kept, ledger, unfilled, edits)
