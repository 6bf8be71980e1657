"""What the recipe `retriever` reads: the splits, the templates without values, and the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from exemplars.core import layout
from exemplars.core.records import Exemplar, Template
from exemplars.core.schemas import TEMPLATE_SCHEMA
from exemplars.core.tables import read_table, rows_from_table
from exemplars.dataset.catalog import Skill
from stages.train.tagger.inputs import read_tagger_input


class RetrieverInput(NamedTuple):
    """What a retriever is trained from."""

    skills: Sequence[Skill]
    train: Sequence[Exemplar]
    validation: Sequence[Exemplar]
    templates: Sequence[Template] = ()
    """They are in the index; nothing is trained on them, for they are no rows."""


def read_retriever_input() -> RetrieverInput:
    """Read the splits, the templates and the catalog. Raises `UserError` if a file is missing or damaged."""
    rows = read_tagger_input()
    templates = rows_from_table(read_table(layout.TEMPLATES, TEMPLATE_SCHEMA), Template)
    return RetrieverInput(*rows, templates)
