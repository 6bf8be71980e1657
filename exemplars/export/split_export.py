"""A split, read from its table and encoded in the format of another trainer."""

from __future__ import annotations

import msgspec

from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import encode_json
from exemplars.core.ids import SplitName
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import read_table, rows_from_table
from exemplars.dataset.row_tables import exemplars_from_table
from exemplars.export.formats import FORMATS, OPENCUI, build_opencui_templates
from exemplars.models.rows import TRAINING_SCHEMA, TrainingRow, View


def encode_split(split: SplitName, format_name: str) -> bytes:
    """Encode a split as JSONL, or as one JSON document of templates.

    format_name: a key of `FORMATS`, or `OPENCUI`. Raises `UserError` if the split is not rendered yet, or if
    it has rows but none of the view `call`.
    """
    if format_name == OPENCUI:
        exemplars = exemplars_from_table(read_table(layout.split(split), EXEMPLAR_SCHEMA))
        return encode_json(build_opencui_templates(exemplars))
    if not layout.training(split).exists():
        raise UserError([_not_rendered(split)])
    rows = rows_from_table(read_table(layout.training(split), TRAINING_SCHEMA), TrainingRow)
    calls = [row for row in rows if row.view == View.CALL]
    if rows and not calls:
        views = f"views {', '.join(sorted({row.view.value for row in rows}))}"
        raise UserError([_no_call(split, views)])
    build_row = FORMATS[format_name]
    return b"".join(msgspec.json.encode(build_row(row)) + b"\n" for row in calls)


def _not_rendered(split: SplitName) -> Diagnostic:
    return Diagnostic(
        path=str(layout.training(split)),
        code="not_rendered",
        found="no such file",
        expected="the rendered rows of the split",
        fix="run `dvc repro render`, which trains no model",
    )


def _no_call(split: SplitName, found: str) -> Diagnostic:
    return Diagnostic(
        path=str(layout.training(split)),
        code="nothing_to_export",
        found=found,
        expected="rows of the view call",
        fix="add `call` to render.views, then run `dvc repro render`",
    )
