"""Links between the documents of this stage."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from exemplars.core.layout import REPORTS
from stages.publish import paths

LINKS: Final = (
    ("Verdict and tables", paths.DATASET_PAGE),
    ("Data Docs", paths.DATA_DOCS),
    ("Data card", paths.CARD_PAGE),
    ("Data card as Markdown", paths.CARD),
    ("Croissant", paths.CROISSANT),
    ("OpenLineage", paths.OPENLINEAGE),
    ("ML-BOM", paths.MLBOM),
    ("Summary of training content", paths.CONTENT_SUMMARY),
)


def list_links(page: Path) -> list[tuple[str, str]]:
    """List the documents other than `page`: name, and path relative to the folder of `page`.

    >>> list_links(paths.CARD_PAGE)[0]
    ('Verdict and tables', '../dataset.html')
    """
    up = "../" * (len(page.relative_to(REPORTS).parts) - 1)
    return [(name, up + path.relative_to(REPORTS).as_posix()) for name, path in LINKS if path != page]
