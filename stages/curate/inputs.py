"""What the stage reads: the exemplars, the catalog and the lexicons."""

from __future__ import annotations

from typing import NamedTuple

from exemplars.core import layout
from exemplars.core.code_version import check_dependency
from exemplars.core.records import Exemplar
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import prevent_pandas_import, read_table
from exemplars.dataset.catalog import Skill, read_catalog
from exemplars.dataset.row_tables import exemplars_from_table
from stages.curate.lexicons import Lexicons, read_lexicons


class CurateInputs(NamedTuple):
    """Everything that the stage reads in addition to its parameters."""

    exemplars: list[Exemplar]
    """Sorted by id."""
    skills: tuple[Skill, ...]
    """The catalog."""
    lexicons: Lexicons


def read_inputs(lexicon_folder: str) -> CurateInputs:
    """Read the outputs of `compile`, and the lexicons of a folder.

    Raises `UserError` if a table or a lexicon is missing or broken.
    """
    check_dependency("curate", lexicon_folder)
    lexicons = read_lexicons(lexicon_folder)
    prevent_pandas_import()
    exemplars = exemplars_from_table(read_table(layout.EXEMPLARS, EXEMPLAR_SCHEMA))
    return CurateInputs(exemplars, read_catalog(layout.CATALOG), lexicons)
