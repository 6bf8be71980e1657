"""What the stage writes: tables that are open for rows which come part by part, the catalog and the recognizers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exemplars.core import layout
from exemplars.core.files import write_bytes
from exemplars.core.reviews import RowEdit
from exemplars.core.schemas import EXEMPLAR_SCHEMA, REJECTION_SCHEMA, TEMPLATE_SCHEMA, derive_schema
from exemplars.core.table_streams import open_sorted_table, open_spool
from exemplars.core.tables import open_table
from exemplars.dataset.catalog import encode_catalog
from exemplars.dataset.recognizers import encode_recognizers
from stages.compile.compilation import CompiledSinks, CompileSpools
from stages.compile.inputs import CompileInputs
from stages.compile.row_keys import KEY_SCHEMA


@contextmanager
def open_outputs() -> Iterator[tuple[CompileSpools, CompiledSinks]]:
    """Open the spools and the tables of the stage, which take the places of the old ones when the block succeeds."""
    exemplars, rejections, templates = layout.COMPILED
    with (
        open_spools(exemplars.parent) as spools,
        open_sorted_table(exemplars, EXEMPLAR_SCHEMA) as kept,
        open_sorted_table(rejections, REJECTION_SCHEMA) as ledger,
        open_sorted_table(templates, TEMPLATE_SCHEMA) as unfilled,
        open_table(layout.EDITS, derive_schema(RowEdit)) as edits,
    ):
        yield spools, CompiledSinks(kept, ledger, unfilled, edits)


@contextmanager
def open_spools(folder: Path) -> Iterator[CompileSpools]:
    """Open the spools of the stage on the disk of a folder. Raises `OSError` if it cannot be written."""
    with (
        open_spool(folder, EXEMPLAR_SCHEMA) as exemplars,
        open_spool(folder, KEY_SCHEMA) as keys,
        open_spool(folder, EXEMPLAR_SCHEMA) as suspects,
        open_spool(folder, REJECTION_SCHEMA) as rejections,
    ):
        yield CompileSpools(exemplars, keys, suspects, rejections)


def write_dictionaries(inputs: CompileInputs) -> None:
    """Write the catalog and the recognizers that rows were compiled with."""
    write_bytes(layout.CATALOG, encode_catalog(inputs.skills))
    write_bytes(layout.LEXICON, encode_recognizers(inputs.recognizers))
