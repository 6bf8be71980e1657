"""What the page and the documents are made from: reports and tables of the stages before, and hashed files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from exemplars.core import layout
from exemplars.core.conditions import HEADLINE, Condition, take_condition
from exemplars.core.files import read_file, read_json
from exemplars.core.params import load_keys, read_source_settings
from exemplars.core.representativeness import Representativeness
from exemplars.core.schemas import EXEMPLAR_SCHEMA, REJECTION_SCHEMA, REVIEW_SCHEMA
from exemplars.core.tables import read_table
from exemplars.models.preference_log import list_pairs, read_preference_lines
from exemplars.models.preference_rows import PreferencePair
from exemplars.models.rows import PREDICTION_SCHEMA
from exemplars.models.run_manifest import ROWS, Manifest, read_manifest
from stages.publish.params import CoverageGoals
from stages.publish.pipeline import (
    HashedFile,
    StageDefinition,
    expand_folder_inputs,
    hash_path,
    hash_paths,
    read_stage_definitions,
)
from stages.publish.synthetic import AnswerModels, read_answer_models

STAGE: Final = "publish"
"""The name of this stage in `dvc.yaml`."""
_REPORTING_STAGES: Final = ("compile", "curate", "split", "validate")
_SPLIT_COLUMNS: Final = ("source", "license", "skill", "digest", "origin")

T = TypeVar("T")


class PublishInputs(NamedTuple):
    """The reports and tables that the page shows."""

    reports: dict[str, dict[str, Any]]
    """By the name of the stage."""
    manifest: dict[str, Any]
    """Of the splits."""
    exemplars: pa.Table
    """Those that `curate` keeps."""
    rejections: pa.Table
    """Of all stages."""
    review: pa.Table
    representativeness: Representativeness
    evaluation: dict[str, Any] | None
    """The report of `evaluate`; `None` if no model was evaluated."""
    predictions: pa.Table
    """Without rows if no model was evaluated."""
    goals: CoverageGoals
    rendering: dict[str, Any] | None
    """The report of `render`; `None` if nothing was rendered."""
    oracle: Mapping[str, Mapping[str, Any]] = {}
    """The metrics of `evaluate` by system, in which somebody else has found the right tools."""
    preferences: Sequence[PreferencePair] = ()
    """Those that count: neither broken nor withdrawn."""
    answer_models: Mapping[str, AnswerModels] = {}
    """Who wrote the answers of each source of the format `generated`, by name."""


class ModelRun(NamedTuple):
    """A run in `models/`."""

    manifest: Manifest
    digests: frozenset[str] | None
    """Of the rows that it was trained on; `None` if the list is missing."""


class Artifacts(NamedTuple):
    """The files that the documents describe: splits, runs, and what the stages read and write."""

    splits: dict[str, tuple[HashedFile, pa.Table]]
    """File and rows (only `source`, `license`, `skill`, `digest` and `origin`) by the name of the split."""
    runs: tuple[ModelRun, ...]
    stages: tuple[StageDefinition, ...]
    """The stages of `dvc.yaml`."""
    source_paths: dict[str, str]
    """The folder of each source in `dvc.yaml`, by the source's name."""
    files: dict[str, HashedFile]
    """What the stages read and write, by path, except what this stage writes."""


def read_inputs() -> PublishInputs:
    """Read the reports and tables. Raises `UserError` if any of them is missing or damaged."""
    evaluated = layout.details("evaluate").exists() and layout.PREDICTIONS.exists()
    evaluation = _read_report(layout.details("evaluate"), dict[str, Any]) if evaluated else None
    rendering = layout.details("render")
    ledgers = [layout.ledger_path(path) for path in (layout.EXEMPLARS, layout.CURATED, layout.MANIFEST)]
    return PublishInputs(
        reports={name: _read_report(layout.details(name), dict[str, Any]) for name in _REPORTING_STAGES},
        manifest=_read_report(layout.MANIFEST, dict[str, Any]),
        exemplars=read_table(layout.CURATED, EXEMPLAR_SCHEMA),
        rejections=pa.concat_tables([read_table(path, REJECTION_SCHEMA) for path in ledgers]),
        review=read_table(layout.REVIEW, REVIEW_SCHEMA),
        representativeness=_read_report(layout.REPRESENTATIVENESS, Representativeness),
        evaluation=None if evaluation is None else take_condition(evaluation),
        predictions=_read_predictions() if evaluated else PREDICTION_SCHEMA.empty_table(),
        goals=load_keys("validate", CoverageGoals),
        rendering=_read_report(rendering, dict[str, Any]) if rendering.exists() else None,
        answer_models={
            name: read_answer_models(Path(str(source.get("path"))))
            for name, source in read_source_settings().items()
            if source.get("format") == "generated"
        },
        oracle={} if evaluation is None else take_condition(evaluation, Condition.ORACLE)["systems"],
        preferences=_read_preferences(),
    )


def read_artifacts(manifest: Mapping[str, Any]) -> Artifacts:
    """Read splits, runs and `dvc.yaml`, and hash all files that it names.

    manifest: of the splits. Raises `UserError` if a file is missing or damaged.
    """
    stages = expand_folder_inputs(read_stage_definitions())
    own = {path for stage in stages if stage.name == STAGE for path in stage.outputs}
    paths = {path for stage in stages for path in (*stage.inputs, *stage.outputs)} - own
    splits = {name: layout.split(name) for name in manifest["splits"]}
    return Artifacts(
        splits={
            name: (hash_path(path), read_table(path, EXEMPLAR_SCHEMA, _SPLIT_COLUMNS))
            for name, path in splits.items()
        },
        runs=tuple(_read_run(path.parent) for path in sorted(layout.MODELS.glob("*/manifest.json"))),
        stages=stages,
        source_paths={
            stage.name.partition("@")[2]: stage.inputs[0]
            for stage in stages
            if stage.name.startswith("ingest@")
        },
        files=hash_paths(paths),
    )


def _read_run(folder: Path) -> ModelRun:
    rows = folder / ROWS
    digests = frozenset(rows.read_text("ascii").split()) if rows.is_file() else None
    return ModelRun(read_manifest(folder), digests)


def _read_predictions() -> pa.Table:
    """Read the predictions that the headline is about."""
    table = read_table(layout.PREDICTIONS, PREDICTION_SCHEMA)
    return table.filter(pc.equal(table.column("condition"), str(HEADLINE)))


def _read_preferences() -> list[PreferencePair]:
    """Read the preferences that count; none if an earlier version made the project."""
    if not os.path.lexists(layout.RAW_PREFERENCES):
        return []
    return list_pairs(read_preference_lines(read_file(layout.RAW_PREFERENCES)))


def _read_report(path: Path, type_: type[T]) -> T:
    return read_json(
        path, type_, code="unreadable_report", expected="a report of this version", fix="run `dvc repro`"
    )
