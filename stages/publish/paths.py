"""Paths of the documents that `publish` writes, relative to the project's root, as in `dvc.yaml`."""

from __future__ import annotations

from typing import Final

from exemplars.core.layout import REPORTS

DATASET_PAGE: Final = REPORTS / "dataset.html"
DATA_DOCS: Final = REPORTS / "data_docs/index.html"
"""Written by `validate`: every expectation, row by row."""
CARD: Final = REPORTS / "card/README.md"
CARD_PAGE: Final = CARD.with_name("index.html")
CROISSANT: Final = REPORTS / "croissant.json"
OPENLINEAGE: Final = REPORTS / "openlineage.jsonl"
MLBOM: Final = REPORTS / "mlbom.cdx.json"
CONTENT_SUMMARY: Final = REPORTS / "training_content_summary.md"
