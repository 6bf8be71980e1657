"""The table that each expectation suite checks: rows, skills, sources, pairs, and figures of the dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

import pandas as pd
import pyarrow as pa

from exemplars.core.rejection_bound import is_loss
from exemplars.core.reports import NO_SKILL
from exemplars.core.representativeness import Representativeness
from exemplars.dataset.catalog import Skill
from stages.validate.inputs import ValidateInputs
from stages.validate.pair_checks import PairCheck, check_pairs
from stages.validate.params import ValidateParams
from stages.validate.row_checks import check_rows

SIGNIFICANCE: Final = 0.05
"""An association with at least this p-value may be chance."""


class SkillCounts(NamedTuple):
    """A skill of the catalog, or of an exemplar."""

    skill: str
    rows: int
    share: float
    """Of all exemplars."""


class SourceCounts(NamedTuple):
    """What became of the records of a source."""

    source: str
    records: int
    """In scope: `exemplars` and `rejections`."""
    exemplars: int
    rejections: int
    rejection_rate: float


class DatasetFigures(NamedTuple):
    """Figures of the whole dataset."""

    figures: str
    thin: int
    """The number of skills and parameters with fewer exemplars than `validate.min_rows_a_parameter`."""
    parts: int
    """The number of all skills and parameters."""
    thin_share: float
    skill_entropy: float
    unlabeled_personal_share: float
    """Pieces of personal data that no argument labels, per exemplar."""
    none_rows: int
    """The number of exemplars that ask for no call."""
    test_rows: int


class AssociationEffect(NamedTuple):
    """An association of a dimension with skills that is not chance."""

    dimension: str
    effect: float
    """Cramer's V."""


def build_suite_tables(inputs: ValidateInputs, params: ValidateParams) -> dict[str, pd.DataFrame]:
    """Build the table of each suite, by the name of the suite."""
    figures = compute_figures(inputs, params)
    suites: dict[str, tuple[Any, list[Any]]] = {
        "skills": (SkillCounts, count_skills(inputs.exemplars, inputs.skills)),
        "sources": (
            SourceCounts,
            count_sources(inputs.exemplars, inputs.rejections, inputs.candidate_sources),
        ),
        "pairs": (PairCheck, check_pairs(inputs.pairs, inputs.splits)),
        "data": (DatasetFigures, [figures]),
        "associations": (AssociationEffect, list_associations(inputs.representativeness)),
    }
    tables = {name: pd.DataFrame(rows, columns=type_._fields) for name, (type_, rows) in suites.items()}
    return {"exemplars": check_rows(inputs.exemplars, inputs.skills), **tables}


def count_skills(exemplars: pa.Table, skills: Mapping[str, Skill]) -> list[SkillCounts]:
    """Count the exemplars of each skill that the catalog or an exemplar has, by name."""
    counts = Counter(name or NO_SKILL for name in exemplars.column("skill").to_pylist())
    total = max(exemplars.num_rows, 1)
    return [SkillCounts(name, counts[name], counts[name] / total) for name in sorted({*counts, *skills})]


def count_sources(
    exemplars: pa.Table, rejections: pa.Table, candidates: Collection[str] = ()
) -> list[SourceCounts]:
    """Count the exemplars and the rejected records of each source, by name.

    candidates: the sources to leave out, since their rows count only if a person has approved them.
    """
    kept = Counter(exemplars.column("source").to_pylist())
    columns = (rejections.column(name).to_pylist() for name in ("source", "reason"))
    lost = Counter(source for source, reason in zip(*columns, strict=True) if is_loss(reason))
    return [
        SourceCounts(name, kept[name] + lost[name], kept[name], lost[name], _share(lost[name], kept[name]))
        for name in sorted({*kept, *lost} - {*candidates})
    ]


def compute_figures(inputs: ValidateInputs, params: ValidateParams) -> DatasetFigures:
    """Compute the figures of coverage, balance and privacy, and the number of rows that a test needs."""
    parts = [coverage for coverage in inputs.representativeness.coverage if not coverage.value]
    thin = sum(coverage.rows < params.min_rows_a_parameter for coverage in parts)
    entropies = {balance.name: balance.entropy for balance in inputs.representativeness.balance}
    exemplars = inputs.exemplars
    return DatasetFigures(
        figures="dataset",
        thin=thin,
        parts=len(parts),
        thin_share=thin / max(len(parts), 1),
        skill_entropy=entropies.get("skills", 0.0),
        unlabeled_personal_share=inputs.unlabeled_personal / max(exemplars.num_rows, 1),
        none_rows=exemplars.column("skill").null_count,
        test_rows=inputs.splits["test"].num_rows,
    )


def list_associations(representativeness: Representativeness) -> list[AssociationEffect]:
    """List the associations with skills that are not chance."""
    return [
        AssociationEffect(association.dimension, association.effect)
        for association in representativeness.associations
        if association.p_value < SIGNIFICANCE
    ]


def _share(part: int, rest: int) -> float:
    return part / max(part + rest, 1)
