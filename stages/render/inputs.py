"""What the stage renders: the splits with their speech views, and the catalog."""

from __future__ import annotations

from exemplars.core import layout
from exemplars.core.ids import SPLITS, SplitName
from exemplars.core.records import Exemplar
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import read_table
from exemplars.dataset.catalog import Skill, read_catalog
from exemplars.dataset.row_tables import exemplars_from_table


def read_splits() -> dict[SplitName, list[Exemplar]]:
    """Read the rows of each split, followed by their speech views."""
    views = exemplars_from_table(read_table(layout.split_speech(), EXEMPLAR_SCHEMA))
    return {
        name: [
            *exemplars_from_table(read_table(layout.split(name), EXEMPLAR_SCHEMA)),
            *(view for view in views if view.split == name),
        ]
        for name in SPLITS
    }


def read_skills() -> dict[str, Skill]:
    """Read the catalog, by the names of the skills."""
    return {skill.name: skill for skill in read_catalog(layout.CATALOG)}
