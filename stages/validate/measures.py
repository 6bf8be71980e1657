"""The measures that have bounds, in words: what is too much or too little, and what to do about it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from exemplars.core.reports import format_share


class Unit(StrEnum):
    """How the values of a measure are written."""

    COUNT = "count"
    ROWS = "rows"
    """Rows that break an expectation that has no bound."""
    SHARE = "share"
    NUMBER = "number"

    def write(self, value: float) -> str:
        """Write a value.

        >>> Unit.COUNT.write(2000), Unit.SHARE.write(0.139), Unit.NUMBER.write(0.7)
        ('2,000', '13.9 %', '0.7')
        """
        if self is Unit.SHARE:
            return format_share(value)
        return f"{value:.3g}" if self is Unit.NUMBER else f"{value:,.0f}"


class Measure(NamedTuple):
    """A column of a suite's table that has a bound."""

    unit: Unit
    text: str
    """What was found in a row, with the row's columns in braces."""
    fix: str


_EXAMPLES: Final = "see `exemplars rejections --source {source}`"
MEASURES: Final[Mapping[tuple[str, str], Measure]] = {
    ("exemplars", ""): Measure(
        Unit.COUNT, "{found} exemplars", "add exemplars, correct rejected ones, or lower the bound"
    ),
    ("exemplars", "utterance_length"): Measure(
        Unit.COUNT, "row {id}: {utterance_length} code points", "shorten the utterance, or raise the bound"
    ),
    ("skills", "rows"): Measure(Unit.COUNT, "exemplars of {skill}: {rows}", "add exemplars of the skill"),
    ("skills", "share"): Measure(
        Unit.SHARE,
        "{skill}: {rows} exemplars ({share})",
        "add exemplars of other skills, or raise the bound",
    ),
    ("sources", "exemplars"): Measure(
        Unit.COUNT,
        "source {source}: 0 of {records} records kept",
        f"{_EXAMPLES}, or remove the source from compile.sources",
    ),
    ("sources", "rejection_rate"): Measure(
        Unit.SHARE,
        "source {source}: {rejections} of {records} ({rejection_rate}) rejected",
        f"{_EXAMPLES}, and correct the records, or raise the bound",
    ),
    ("data", "thin_share"): Measure(
        Unit.SHARE,
        "{thin} of {parts} ({thin_share}) skills and parameters with fewer than {min_rows_a_parameter} exemplars",
        "add exemplars of them (data/curated/representativeness.json lists the rarest), or raise the bound",
    ),
    ("data", "skill_entropy"): Measure(
        Unit.NUMBER,
        "the normalized entropy of exemplars over skills is {skill_entropy}",
        "add exemplars of the rarest skills, or lower the bound",
    ),
    ("data", "unlabeled_personal_share"): Measure(
        Unit.NUMBER,
        "{unlabeled_personal_share} pieces of personal data per exemplar that no argument labels",
        "label or replace them (data/curated/review.parquet, curate.privacy.mode), or raise the bound",
    ),
    ("data", "none_rows"): Measure(
        Unit.COUNT,
        "{none_rows} exemplars that ask for no call: a model trained on them calls a skill whatever is said",
        "add some (none_skill of a skills source, mode `none` of labeled JSONL)",
    ),
    ("data", "test_rows"): Measure(
        Unit.COUNT,
        "rows in the test split: {test_rows}, so expect a 95 % interval of {test_interval} around a score of 0.5",
        "add exemplars, raise split.ratios.test, or read figures of the model with care",
    ),
    ("associations", "effect"): Measure(
        Unit.NUMBER,
        "mentions of {dimension} depend on the skill (Cramer's V {effect})",
        "add exemplars that balance them, or raise the bound",
    ),
}
"""By suite and column; the column of a whole table is empty."""


def describe_row(measure: Measure, row: Mapping[str, Any], params: Mapping[str, Any]) -> str:
    """Describe what was found in a row. params: the section `validate`, which texts may name, too."""
    values = {**params, **{name: _format_value(name, value) for name, value in row.items()}}
    if "test_rows" in row:
        values["test_interval"] = format_interval_width(int(row["test_rows"]))
    return measure.text.format(**values)


def format_interval_width(rows: int) -> str:
    """Format the half width of the 95 % interval of a share near 0.5, by the normal approximation.

    Rows of one group depend on each other, so that the real interval is wider.

    >>> format_interval_width(100), format_interval_width(4)
    ('±0.10', '±0.49')
    """
    return f"±{min(1.96 * math.sqrt(0.25 / max(rows, 1)), 0.5):.2f}"


def _format_value(name: str, value: Any) -> str:
    if isinstance(value, str) or value is None:
        return str(value)
    if name in ("share", "rejection_rate", "thin_share"):
        return format_share(float(value))
    return f"{value:,.3g}" if isinstance(value, float) else f"{value:,}"
