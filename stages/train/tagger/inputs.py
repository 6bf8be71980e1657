"""What the recipe `tagger` reads: the splits with their spans, and the catalog."""

from __future__ import annotations

from exemplars.core import layout
from exemplars.core.ids import SplitName
from exemplars.core.records import Exemplar
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import read_table
from exemplars.dataset.catalog import read_catalog
from exemplars.dataset.row_tables import exemplars_from_table
from stages.train.tagger.rows import TaggerInput


def read_tagger_input() -> TaggerInput:
    """Read the splits `train` and `validation`, and the catalog. Raises `UserError` if a file is missing or damaged."""
    return TaggerInput(read_catalog(layout.CATALOG), _read_split("train"), _read_split("validation"))


def _read_split(name: SplitName) -> list[Exemplar]:
    return exemplars_from_table(read_table(layout.split(name), EXEMPLAR_SCHEMA))
