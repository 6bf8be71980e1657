"""What `exemplars generate` needs of a project: its generated source, its catalog, its train rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.compute as pc

from exemplars.audit.expected_leaks import find_expected_leaks
from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.params import load_section
from exemplars.core.records import Exemplar
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import read_table
from exemplars.dataset.catalog import Skill, read_catalog
from exemplars.dataset.row_tables import exemplars_from_table
from exemplars.generation.answer_files import read_answers
from exemplars.generation.outcomes import State, find_outcomes
from exemplars.generation.second_opinion import find_contradictions
from exemplars.generation.yield_report import Facts, build_report, find_near_test
from stages.ingest.params import GeneratedSource, IngestParams
from stages.ingest.remote_folders import require_folder
from stages.validate.params import ValidateParams


class GeneratedFolder(NamedTuple):
    """The source that answers go to."""

    source: str
    path: Path


def find_generated_source() -> GeneratedFolder:
    """Find the source of the format `generated`; of several, the first by name.

    Raises `UserError` if `params.yaml` has none or is not valid, or if the source is at a URL.
    """
    sources = load_section("ingest", IngestParams).sources
    found = [name for name, source in sorted(sources.items()) if isinstance(source, GeneratedSource)]
    if not found:
        problem = Diagnostic(
            path="params.yaml",
            code="no_generated_source",
            summary="no source under ingest.sources has the format generated, so that answers would not be read",
            fix="add `generated: {format: generated, path: data/raw/generated, license: ...}`, also to compile.sources",
        )
        raise UserError([problem])
    return GeneratedFolder(found[0], require_folder(sources[found[0]].path))


def read_skills() -> tuple[Skill, ...]:
    """Read the catalog. Raises `UserError` if it is missing or damaged."""
    return read_catalog(layout.CATALOG)


def read_train_rows() -> list[Exemplar]:
    """Read the rows of the train split: no model sees those of the others. Raises `UserError` if it is missing."""
    return exemplars_from_table(read_table(layout.split("train"), EXEMPLAR_SCHEMA))


def read_minimum() -> int:
    """Read the number of rows below which a part of the catalog is thin."""
    return load_section("validate", ValidateParams).min_rows_a_parameter


def read_report(folder: GeneratedFolder) -> dict[str, Any]:
    """Read what became of all examples of a source. Raises `UserError` if a table is damaged."""
    examples = list(find_outcomes(folder.source, read_answers(folder.path)))
    compiled = _read_compiled(folder.source)
    waiting = {example.id for example in examples if example.is_waiting}
    approved = {example.id for example in examples if example.outcome == State.APPROVED}
    leaks = find_expected_leaks([row for row in compiled if row.id in waiting])
    held_out = [row_id for name in ("validation", "test") for row_id in _read_ids(layout.split(name))]
    facts = Facts(
        {row.id for row in compiled},
        find_near_test(examples, held_out, leaks),
        find_contradictions([row for row in compiled if row.id in waiting | approved]),
    )
    return build_report(examples, facts)


def _read_compiled(source: str) -> list[Exemplar]:
    if not layout.EXEMPLARS.exists():
        return []
    table = read_table(layout.EXEMPLARS, EXEMPLAR_SCHEMA)
    return exemplars_from_table(table.filter(pc.equal(table["source"], source)))


def _read_ids(path: Path) -> list[str]:
    return read_table(path, EXEMPLAR_SCHEMA, ["id"]).column("id").to_pylist() if path.exists() else []
