"""What the rows that stay are about: slices, coverage, balance and associations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from exemplars.core.records import Exemplar
from exemplars.core.representativeness import Coverage, Representativeness
from exemplars.dataset.catalog import Skill
from stages.curate.associations import measure_associations
from stages.curate.coverage import (
    PartCounts,
    count_parts,
    join_part_counts,
    measure_balances,
    measure_coverage,
)
from stages.curate.lexicons import Lexicons
from stages.curate.slices import (
    DEMOGRAPHIC,
    NO_SLICE,
    SliceCounts,
    count_slices,
    join_slice_counts,
    measure_slices,
)

THIN: Final = 3
"""A skill, parameter or value with fewer rows than this counts as thin in the report."""


class RowCounts(NamedTuple):
    """What rows are about, in numbers that can be added."""

    slices: SliceCounts
    parts: PartCounts


def count_rows(rows: Sequence[Exemplar], skills: Sequence[Skill], lexicons: Lexicons) -> RowCounts:
    """Count what rows are about."""
    return RowCounts(count_slices(rows, lexicons), count_parts(rows, skills))


def join_counts(first: RowCounts, second: RowCounts) -> RowCounts:
    """Add the counts of two lists of rows."""
    return RowCounts(
        join_slice_counts(first.slices, second.slices), join_part_counts(first.parts, second.parts)
    )


def measure_representativeness(counts: RowCounts, skills: Sequence[Skill]) -> Representativeness:
    """Measure slices, coverage of the catalog, balance and associations."""
    return Representativeness(
        slices=measure_slices(counts.slices),
        coverage=measure_coverage(counts.parts, skills),
        balance=measure_balances(counts.slices.skills, counts.parts, skills),
        associations=measure_associations(counts.slices.mentions),
    )


def summarize_representativeness(measured: Representativeness) -> dict[str, Any]:
    """Select the figures of the report: `coverage`, `balance`, `associations` and `mentions`."""
    return {
        "coverage": _count_thin(measured.coverage),
        "balance": {
            balance.name: {"entropy": balance.entropy, "ratio": balance.ratio}
            for balance in measured.balance
            if balance.name == "skills"
        },
        "associations": {
            association.dimension: {
                "rows": association.rows,
                "effect": association.effect,
                "p_value": association.p_value,
            }
            for association in measured.associations
        },
        "mentions": {
            f"{slice_.dimension}: {slice_.slice}": slice_.rows
            for slice_ in measured.slices
            if slice_.dimension in DEMOGRAPHIC and slice_.slice != NO_SLICE
        },
    }


def _count_thin(coverage: Sequence[Coverage]) -> dict[str, int]:
    skills = [part for part in coverage if not part.parameter]
    parameters = [part for part in coverage if part.parameter and not part.value]
    values = [part for part in coverage if part.value]
    return {
        "skills_without_rows": sum(not part.rows for part in skills),
        "thin_skills": sum(part.rows < THIN for part in skills),
        "thin_parameters": sum(part.rows < THIN for part in parameters),
        "thin_values": sum(part.rows < THIN for part in values),
    }
