"""What the stage validates: the curated exemplars, what was rejected on the way, and the splits."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa

from exemplars.core import layout
from exemplars.core.files import read_json
from exemplars.core.ids import SPLITS
from exemplars.core.representativeness import Representativeness
from exemplars.core.schemas import EXEMPLAR_SCHEMA, PAIR_SCHEMA, REJECTION_SCHEMA
from exemplars.core.tables import read_table
from exemplars.dataset.catalog import Skill, read_catalog

_SPLIT_COLUMNS: Final = ("utterance", "exemplar")


class ValidateInputs(NamedTuple):
    """Everything that the expectations are about."""

    exemplars: pa.Table
    rejections: pa.Table
    """The ledgers of `compile` and `curate`."""
    skills: dict[str, Skill]
    pairs: pa.Table
    splits: dict[str, pa.Table]
    """Of the rows of each split, the texts that pairs are about."""
    representativeness: Representativeness
    unlabeled_personal: int
    """The number of pieces of personal data that no argument labels."""
    candidate_sources: frozenset[str] = frozenset()
    """The sources whose rows count only if a person has approved them, so that they may lose any number."""


class _PersonalData(msgspec.Struct):
    unlabelled: dict[str, int]


class _Candidates(msgspec.Struct, frozen=True):
    sources: frozenset[str] = frozenset()


class _CurateReport(msgspec.Struct):
    personal_data: _PersonalData
    candidates: _Candidates = _Candidates()


def read_suite(path: Path) -> dict[str, Any]:
    """Read an expectation suite. Raises `UserError` if the file is missing or is not JSON."""
    return read_json(
        path, dict[str, Any], code="bad_suite", expected="an expectation suite", fix="restore it from git"
    )


def read_suites(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Read the expectation suites of these names: the project's own, or else the package's."""
    return {name: read_suite(layout.expectations(name)) for name in names}


def read_inputs() -> ValidateInputs:
    """Read the outputs of the earlier stages. Raises `UserError` if a file is missing or damaged."""
    ledgers = (layout.ledger_path(layout.EXEMPLARS), layout.ledger_path(layout.CURATED))
    report = read_json(
        layout.details("curate"),
        _CurateReport,
        code="not_curated",
        expected="the report of `curate`",
        fix="run `dvc repro curate`",
    )
    representativeness = read_json(
        layout.REPRESENTATIVENESS,
        Representativeness,
        code="not_curated",
        expected="the coverage that `curate` measures",
        fix="run `dvc repro curate`",
    )
    return ValidateInputs(
        exemplars=read_table(layout.CURATED, EXEMPLAR_SCHEMA),
        rejections=pa.concat_tables([read_table(path, REJECTION_SCHEMA) for path in ledgers]),
        skills={skill.name: skill for skill in read_catalog(layout.CATALOG)},
        pairs=read_table(layout.PAIRS, PAIR_SCHEMA),
        splits={name: read_table(layout.split(name), EXEMPLAR_SCHEMA, _SPLIT_COLUMNS) for name in SPLITS},
        representativeness=representativeness,
        unlabeled_personal=sum(report.personal_data.unlabelled.values()),
        candidate_sources=report.candidates.sources,
    )
