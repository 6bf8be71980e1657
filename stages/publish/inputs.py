"""What the page and the documents are made of: the reports and the tables of all stages before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa

from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.schemas import EXEMPLAR_SCHEMA, REJECTION_SCHEMA, REVIEW_SCHEMA
from exemplars.core.tables import read_table
from exemplars.models.rows import PREDICTION_SCHEMA
from exemplars.models.run_manifest import ROWS, Manifest, read_manifest
from stages.publish.pipeline import FileFacts, Step, file_facts, linked, read_files, read_steps

NAME: Final = "publish"
"""This stage, in `dvc.yaml`."""
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
    ledgers = [layout.ledger_path(path) for path in (layout.EXEMPLARS, layout.CURATED, layout.MANIFEST)]
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


class Material(NamedTuple):
    """What the documents tell beside what the page shows."""

    splits: dict[str, tuple[FileFacts, pa.Table]]
    """File and rows (`source`, `license`, `skill` and `digest` alone) by the name of the split."""
    runs: tuple[tuple[Manifest, frozenset[str] | None], ...]
    """The runs in `models/`, with the digests of their rows; null: the list is not here."""
    steps: tuple[Step, ...]
    """The stages of `dvc.yaml`."""
    source_paths: dict[str, str]
    """The folder of each source of `dvc.yaml`, by its name."""
    files: dict[str, FileFacts]
    """What the steps read and write, by path, but for what this stage writes."""


def read_material(manifest: Mapping[str, Any]) -> Material:
    """Read it, and hash all files that `dvc.yaml` names.

    manifest: of the splits. Raises `UserError` where something is missing or damaged.
    """
    steps = linked(read_steps())
    own = {path for step in steps if step.name == NAME for path in step.outputs}
    paths = {path for step in steps for path in (*step.inputs, *step.outputs)} - own
    columns = ("source", "license", "skill", "digest")
    return Material(
        splits={
            name: (file_facts(layout.split(name)), read_table(layout.split(name), EXEMPLAR_SCHEMA, columns))
            for name in manifest["splits"]
        },
        runs=tuple(_run(path.parent) for path in sorted(layout.MODELS.glob("*/manifest.json"))),
        steps=steps,
        source_paths={
            step.name.partition("@")[2]: step.inputs[0] for step in steps if step.name.startswith("ingest@")
        },
        files=read_files(paths),
    )


def _run(folder: Path) -> tuple[Manifest, frozenset[str] | None]:
    rows = folder / ROWS
    return read_manifest(folder), frozenset(rows.read_text("ascii").split()) if rows.is_file() else None


def no_predictions() -> pa.Table:
    """The table of predictions where no model was judged: without a row."""
    return PREDICTION_SCHEMA.empty_table()


def _document(path: Path) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes())
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError) as error:
        found = "no such file" if isinstance(error, FileNotFoundError) else str(error)
        problem = Diagnostic(
            path=str(path), code="unreadable_report", found=found, expected="JSON", fix="run `dvc repro`"
        )
        raise UserError([problem]) from None
