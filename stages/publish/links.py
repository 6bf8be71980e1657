"""The documents of this stage, and how its pages link to them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from exemplars.core import layout
from stages.publish import paths

LINKS: Final = (
    ("The data set, in pictures", paths.DATASET_PAGE),
    ("Data card", paths.CARD_PAGE),
    ("Data card as Markdown", paths.CARD),
    ("Croissant", paths.CROISSANT),
    ("OpenLineage", paths.OPENLINEAGE),
    ("ML-BOM", paths.MLBOM),
    ("Summary of training content", paths.CONTENT_SUMMARY),
)


def links_from(page: Path) -> list[tuple[str, str]]:
    """The other documents by name, relative to where a page of this stage lies."""
    up = "../" * (len(page.relative_to(layout.REPORTS).parts) - 1)
    return [(name, up + path.relative_to(layout.REPORTS).as_posix()) for name, path in LINKS if path != page]
