"""What the stage reads: the exemplars, the catalog and the lexicons."""

from __future__ import annotations

import os
from typing import NamedTuple

from exemplars.core import layout
from exemplars.core.code_version import check_dependency
from exemplars.core.params import read_source_settings, requires_review
from exemplars.core.reviews import RowEdit, read_reviews
from exemplars.core.row_groups import RowGroups
from exemplars.core.schemas import EXEMPLAR_SCHEMA, derive_schema
from exemplars.core.tables import read_table, rows_from_table
from exemplars.dataset.catalog import Skill, read_catalog
from stages.curate.lexicons import Lexicons, read_lexicons
from stages.curate.params import CurateParams
from stages.curate.privacy.key import read_surrogate_key
from stages.curate.text_cache import TextCache, make_cache_key, read_text_cache
from stages.curate.verdicts import Verdicts


class CurateInputs(NamedTuple):
    """Everything that the stage reads in addition to its parameters."""

    exemplars: RowGroups
    """Sorted by id."""
    skills: tuple[Skill, ...]
    """The catalog."""
    lexicons: Lexicons
    verdicts: Verdicts = Verdicts()
    """What reviewers decided."""
    candidate_sources: frozenset[str] = frozenset()
    """The sources whose rows count only if a person has approved them."""
    surrogate_key: bytes | None = None
    """Of the environment; `None` if the parameters need none."""
    texts: TextCache = TextCache()
    """What earlier runs found in texts."""


def read_inputs(params: CurateParams) -> CurateInputs:
    """Read the outputs of `compile`, the lexicons, the decisions of reviewers, and what earlier runs found.

    Raises `UserError` if a table, a lexicon, a decision or the key of surrogates is missing or broken.
    """
    key = read_surrogate_key(params.privacy.mode, os.environ)
    check_dependency("curate", params.lexicons)
    lexicons = read_lexicons(params.lexicons)
    exemplars = RowGroups(layout.EXEMPLARS, EXEMPLAR_SCHEMA)
    edits = rows_from_table(read_table(layout.EDITS, derive_schema(RowEdit)), RowEdit)
    candidates = frozenset(name for name, source in read_source_settings().items() if requires_review(source))
    verdicts = Verdicts(read_reviews(), edits)
    texts = read_text_cache(make_cache_key(params, lexicons))
    catalog = read_catalog(layout.CATALOG)
    return CurateInputs(exemplars, catalog, lexicons, verdicts, candidates, key, texts)
