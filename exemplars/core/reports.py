"""Counts and figures that all stages report in the same form, for `dvc metrics diff` and `dvc plots`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from exemplars.core.errors import summarize_names
from exemplars.core.terminal import print_errors

NO_SKILL = "(none)"
"""The name in reports for rows without a skill."""


MAX_METRICS: Final = 12
"""How many figures the metrics of a stage have at most, so that `dvc metrics diff` fits a screen."""


def count_values(column: pa.ChunkedArray, empty: str = NO_SKILL) -> dict[str, int]:
    """Count the values of a text column, sorted by value; missing values are counted as `empty`.

    >>> count_values(pa.chunked_array([["ring", None, "call", "ring"]]))
    {'(none)': 1, 'call': 1, 'ring': 2}
    """
    counted = pc.value_counts(column)
    return dict(sorted((row["values"].as_py() or empty, row["counts"].as_py()) for row in counted))


def count_sorted(values: Iterable[str]) -> dict[str, int]:
    """Count texts, sorted by text."""
    return dict(sorted(Counter(values).items()))


def count_rejections(rejections: pa.Table) -> dict[str, dict[str, int]]:
    """Count rejections by source and reason, both sorted."""
    columns = (rejections.column(name).to_pylist() for name in ("source", "reason"))
    return group_counts(Counter(zip(*columns, strict=True)))


def group_counts(counts: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    """Group the counts of pairs: by the first of the pair, then by the second, both sorted.

    >>> group_counts({("sgd", "erased"): 2, ("bots", "too_long"): 1, ("bots", "erased"): 1})
    {'bots': {'erased': 1, 'too_long': 1}, 'sgd': {'erased': 2}}
    """
    nested: dict[str, dict[str, int]] = {}
    for (outer, inner), count in sorted(counts.items()):
        nested.setdefault(outer, {})[inner] = count
    return nested


def build_row_metrics(
    kept: int, rejections_by_source: Mapping[str, int], **others: float | None
) -> dict[str, Any]:
    """Build the metrics of a stage: its rows, and those that it rejects by source, the most frequent sources.

    others: more figures of the stage. Figures of the same kind have the same name in all stages, and thus share a
    column of `dvc metrics show`.

    >>> build_row_metrics(7, {"sgd": 2, "bots": 1}, templates=6)
    {'rows_in': 10, 'kept': 7, 'rejected': 3, 'templates': 6, 'rejected_by_source': {'bots': 1, 'sgd': 2}}
    """
    rejected = sum(rejections_by_source.values())
    figures = {"rows_in": kept + rejected, "kept": kept, "rejected": rejected, **others}
    largest = sorted(rejections_by_source.items(), key=lambda item: (-item[1], item[0]))
    sources = dict(sorted(largest[: MAX_METRICS - len(figures)]))
    return {**figures, "rejected_by_source": sources} if sources else figures


def make_plot_rows(counts: Mapping[str, int], name: str, value: str = "rows") -> list[dict[str, Any]]:
    """Build the data points of a bar plot: one object per bar, with the keys `name` and `value`."""
    return [{name: key, value: count} for key, count in counts.items()]


def format_interval(figure: Mapping[str, Any], digits: int = 2) -> str:
    """Format a figure with its confidence interval.

    >>> format_interval({"value": 0.81, "low": 0.74, "high": 0.87})
    '0.81 (0.74 to 0.87)'
    """
    value, low, high = (f"{figure[key]:.{digits}f}" for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def format_share(share: float) -> str:
    """Format a share in percent, with one digit if it is not whole.

    >>> format_share(5 / 36), format_share(0.1)
    ('13.9 %', '10 %')
    """
    return f"{share * 100:.1f}".removesuffix(".0") + " %"


def format_p_value(value: float) -> str:
    """Format a p-value with three digits: `0.034` or `< 0.001`."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def format_summary(
    stage: str, kept: int, reasons: Mapping[str, int], rows: str = "rows", templates: int = 0
) -> str:
    """Format what a stage did as a line for people: rows in, kept, and rejected for which reasons.

    reasons: the number of rejected rows by reason; the three most frequent are named. templates: the number of rows
    that are neither kept nor rejected, but for retrieval only.

    >>> format_summary("compile", 2245, {"unknown_slot": 3, "value_ambiguous": 2}, "records")
    'compile: 2,250 records in, 2,245 kept, 5 rejected: unknown_slot 3, value_ambiguous 2'
    """
    rejected = sum(reasons.values())
    aside = f"{templates:,} templates without values, " if templates else ""
    line = f"{stage}: {kept + rejected + templates:,} {rows} in, {kept:,} kept, {aside}{rejected:,} rejected"
    named = [f"{reason} {count:,}" for reason, count in sort_by_count(reasons)]
    return f"{line}: {summarize_names(named)}" if named else line


def sort_by_count(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Sort counts, the greatest first, and equal ones by name."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def announce_step(stage: str, title: str) -> None:
    """Print what a stage begins to do, if a person is watching at a terminal."""
    if sys.stderr.isatty():
        print_errors([f"{stage}: {title}"])
