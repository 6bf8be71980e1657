"""What the stage renders: the splits with their speech views, and the catalog."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from exemplars.core import layout
from exemplars.core.code_version import check_dependency
from exemplars.core.files import read_file
from exemplars.core.ids import SPLITS, SplitName
from exemplars.core.records import Exemplar
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import read_table
from exemplars.dataset.catalog import Skill, read_catalog
from exemplars.dataset.row_tables import exemplars_from_table
from stages.render.params import RenderParams, ToolSource

if TYPE_CHECKING:
    from exemplars.models.retriever.retriever import Retriever


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


def read_preferences() -> bytes:
    """Read the preferences; none if there is no such file. Raises `UserError` if it is no file, or too large."""
    return read_file(layout.RAW_PREFERENCES) if os.path.lexists(layout.RAW_PREFERENCES) else b""


def read_retriever(params: RenderParams) -> Retriever | None:
    """Load the retriever in models/retriever, if `render.tools_from` asks for it.

    Raises `UserError` if DVC does not depend on it, or if it is missing, damaged, or made for a different catalog.
    """
    if params.tools_from != ToolSource.RETRIEVER:
        return None
    folder = layout.model("retriever")
    check_dependency("render", str(folder))
    from exemplars.models.retriever.retriever import load_retriever

    return load_retriever(folder, list(read_skills().values()))


def read_skills() -> dict[str, Skill]:
    """Read the catalog, by the names of the skills."""
    return {skill.name: skill for skill in read_catalog(layout.CATALOG)}
