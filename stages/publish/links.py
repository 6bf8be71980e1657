"""The documents of this stage, and how its pages link to them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from stages.core import layout

LINKS: Final = (
    ("The data set, in pictures", layout.DATASET_PAGE),
    ("Data card", layout.CARD_PAGE),
    ("Data card as Markdown", layout.CARD),
    ("Croissant", layout.CROISSANT),
    ("OpenLineage", layout.OPENLINEAGE),
    ("ML-BOM", layout.MLBOM),
    ("Summary of training content", layout.CONTENT_SUMMARY),
)


def links_from(page: Path) -> list[tuple[str, str]]:
    """The other documents by name, relative to where a page of this stage lies."""
    up = "../" * (len(page.relative_to(layout.REPORTS).parts) - 1)
    return [(name, up + path.relative_to(layout.REPORTS).as_posix()) for name, path in LINKS if path != page]
