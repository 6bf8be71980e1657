"""What the stage reads: the exemplars, the catalog and the lexicons."""

from __future__ import annotations

from typing import NamedTuple

from exemplars.core import layout
from exemplars.core.code_version import check_dependency
from exemplars.core.params import read_source_settings, requires_review
from exemplars.core.records import Exemplar
from exemplars.core.reviews import RowEdit, read_reviews
from exemplars.core.schemas import EXEMPLAR_SCHEMA, derive_schema
from exemplars.core.tables import prevent_pandas_import, read_table, rows_from_table
from exemplars.dataset.catalog import Skill, read_catalog
from exemplars.dataset.row_tables import exemplars_from_table
from stages.curate.lexicons import Lexicons, read_lexicons
from stages.curate.verdicts import Verdicts


class CurateInputs(NamedTuple):
    """Everything that the stage reads in addition to its parameters."""

    exemplars: list[Exemplar]
    """Sorted by id."""
    skills: tuple[Skill, ...]
    """The catalog."""
    lexicons: Lexicons
    verdicts: Verdicts = Verdicts()
    """What reviewers decided."""
    candidate_sources: frozenset[str] = frozenset()
    """The sources whose rows count only if a person has approved them."""


def read_inputs(lexicon_folder: str) -> CurateInputs:
    """Read the outputs of `compile`, the lexicons of a folder, and the decisions of reviewers.

    Raises `UserError` if a table, a lexicon or a decision is missing or broken.
    """
    check_dependency("curate", lexicon_folder)
    lexicons = read_lexicons(lexicon_folder)
    prevent_pandas_import()
    exemplars = exemplars_from_table(read_table(layout.EXEMPLARS, EXEMPLAR_SCHEMA))
    edits = rows_from_table(read_table(layout.EDITS, derive_schema(RowEdit)), RowEdit)
    candidates = frozenset(name for name, source in read_source_settings().items() if requires_review(source))
    verdicts = Verdicts(read_reviews(), edits)
    return CurateInputs(exemplars, read_catalog(layout.CATALOG), lexicons, verdicts, candidates)
