"""What the page is made of: the reports and the tables of all stages before."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa

from stages.core import layout
from stages.core.errors import Diagnostic, UserError
from stages.core.tables import (
    EXEMPLAR_SCHEMA,
    PREDICTION_SCHEMA,
    REJECTION_SCHEMA,
    REVIEW_SCHEMA,
    read_table,
)

REPORTS: Final = ("compile", "curate", "split", "validate")


class Inputs(NamedTuple):
    """Everything that the page shows."""

    reports: dict[str, Any]
    """By the name of the stage."""
    manifest: dict[str, Any]
    exemplars: pa.Table
    """The curated ones."""
    rejections: pa.Table
    """Of all stages."""
    review: pa.Table
    about: dict[str, list[dict[str, Any]]]
    """Slices, coverage, balance and associations."""
    evaluation: dict[str, Any] | None
    """`reports/evaluate.json`; null where no model was judged yet."""
    predictions: pa.Table
    """What the systems said; no rows where no model was judged yet."""


def read_inputs() -> Inputs:
    """Read them. Raises `UserError` where one is missing or damaged."""
    judged = layout.report("evaluate").exists() and layout.PREDICTIONS.exists()
    ledgers = [layout.rejections_of(path) for path in (layout.EXEMPLARS, layout.CURATED, layout.MANIFEST)]
    return Inputs(
        reports={name: _document(layout.report(name)) for name in REPORTS},
        manifest=_document(layout.MANIFEST),
        exemplars=read_table(layout.CURATED, EXEMPLAR_SCHEMA),
        rejections=pa.concat_tables([read_table(path, REJECTION_SCHEMA) for path in ledgers]),
        review=read_table(layout.REVIEW, REVIEW_SCHEMA),
        about=_document(layout.REPRESENTATIVENESS),
        evaluation=_document(layout.report("evaluate")) if judged else None,
        predictions=read_table(layout.PREDICTIONS, PREDICTION_SCHEMA) if judged else no_predictions(),
    )


def no_predictions() -> pa.Table:
    """The table of predictions where no model was judged: without a row."""
    return PREDICTION_SCHEMA.empty_table()


def _document(path: Path) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes())
    except (FileNotFoundError, msgspec.DecodeError) as error:
        found = "no such file" if isinstance(error, FileNotFoundError) else str(error)
        problem = Diagnostic(
            path=str(path), code="unreadable_report", found=found, expected="JSON", fix="run `dvc repro`"
        )
        raise UserError([problem]) from None
