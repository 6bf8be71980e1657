"""A split, read from its table and encoded in the format of another trainer."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import encode_json
from exemplars.core.ids import SplitName
from exemplars.core.records import Exemplar
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import read_table, rows_from_table
from exemplars.dataset.catalog import read_catalog
from exemplars.dataset.row_labels import drop_labels
from exemplars.dataset.row_tables import exemplars_from_table
from exemplars.export.formats import FORMATS, OPENCUI, build_opencui_templates
from exemplars.export.turns import ExportedTurn, build_turns, follows_result
from exemplars.models.rows import TRAINING_SCHEMA, TrainingRow, View


def encode_split(split: SplitName, format_name: str, *, has_labels: bool = True) -> bytes:
    """Encode a split as JSONL, or as one JSON document of templates.

    format_name: a key of `FORMATS`, or `OPENCUI`. has_labels: whether rows have the key of `row_labels`.
    Raises `UserError` if the split is not rendered yet, if it has rows but none of the view `call`, or if its chat rows
    are of other exemplars.
    """
    if format_name == OPENCUI:
        return encode_json(build_opencui_templates(_read_exemplars(split)))
    if not layout.training(split).exists():
        raise UserError([_not_rendered(split)])
    rows = rows_from_table(read_table(layout.training(split), TRAINING_SCHEMA), TrainingRow)
    calls = [row for row in rows if row.view == View.CALL]
    if rows and not calls:
        views = f"views {', '.join(sorted({row.view.value for row in rows}))}"
        raise UserError([_no_call(split, views)])
    turns = _build_turns(split, calls)
    documents = map(FORMATS[format_name], turns)
    return b"".join(
        msgspec.json.encode(document if has_labels else drop_labels(document)) + b"\n"
        for document in documents
    )


def _build_turns(split: SplitName, rows: Sequence[TrainingRow]) -> list[ExportedTurn]:
    exemplars = {exemplar.id: exemplar for exemplar in _read_exemplars(split)}
    if any(row.speech for row in rows):
        views = exemplars_from_table(read_table(layout.split_speech(), EXEMPLAR_SCHEMA))
        exemplars |= {view.id: view for view in views if view.split == split}
    missing = next((row_id for row in rows for row_id in row.exemplar_ids if row_id not in exemplars), None)
    if missing is not None:
        raise UserError([_other_rows(split, missing)])
    skills = read_catalog(layout.CATALOG) if any(map(follows_result, exemplars.values())) else ()
    return build_turns(rows, exemplars, {skill.name: skill for skill in skills})


def _read_exemplars(split: SplitName) -> list[Exemplar]:
    return exemplars_from_table(read_table(layout.split(split), EXEMPLAR_SCHEMA))


def _other_rows(split: SplitName, row_id: str) -> Diagnostic:
    return Diagnostic(
        path=str(layout.training(split)),
        code="other_rows",
        found=f"the row {row_id}, which is not in {layout.split(split)}",
        expected="chat rows of the split",
        fix="run `dvc repro render`",
    )


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
