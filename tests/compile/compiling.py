"""The stage's tables in memory, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from exemplars.core.reviews import RowEdit
from exemplars.core.schemas import EXEMPLAR_SCHEMA, REJECTION_SCHEMA, TEMPLATE_SCHEMA, derive_schema
from exemplars.core.tables import rows_from_table
from stages.compile.compilation import BATCH_ROWS, CompiledSinks, compile_sources
from stages.compile.inputs import CompileInputs
from stages.compile.outputs import open_spools
from stages.compile.report import CompileCounts

SCHEMAS = (EXEMPLAR_SCHEMA, REJECTION_SCHEMA, TEMPLATE_SCHEMA, derive_schema(RowEdit))


class Compiled(NamedTuple):
    """What the stage writes."""

    exemplars: pa.Table
    rejections: pa.Table
    templates: pa.Table
    edits: list[RowEdit]
    counts: CompileCounts


class CollectingSink:
    """Collects the parts of a table."""

    def __init__(self, schema: pa.Schema) -> None:
        self.table = schema.empty_table()

    def write(self, table: pa.Table) -> None:
        self.table = pa.concat_tables([self.table, table])


def compile_inputs(
    folder: Path, inputs: CompileInputs, workers: int = 1, batch_rows: int = BATCH_ROWS
) -> Compiled:
    """Compile as the stage does. folder: for the spools."""
    sinks = [CollectingSink(schema) for schema in SCHEMAS]
    with open_spools(folder) as spools:
        counts = compile_sources(inputs, workers, spools, CompiledSinks(*sinks), batch_rows)
    *tables, edits = (sink.table for sink in sinks)
    return Compiled(*tables, rows_from_table(edits, RowEdit), counts)
