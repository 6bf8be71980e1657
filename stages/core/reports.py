"""Counts that every stage reports alike, for `dvc metrics diff` and `dvc plots`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stages.core.errors import Diagnostic, UserError

NO_SKILL = "(none)"
"""How rows that ask for no skill are called in reports."""


def counts_of(column: pa.ChunkedArray, empty: str = NO_SKILL) -> dict[str, int]:
    """How often each value stands in a column of text, by value; null counts as `empty`."""
    counted = pc.value_counts(column)
    return dict(sorted((row["values"].as_py() or empty, row["counts"].as_py()) for row in counted))


def sorted_counts(values: Iterable[str]) -> dict[str, int]:
    """How often each text occurs, by text."""
    return dict(sorted(Counter(values).items()))


def rejection_counts(rejections: pa.Table) -> dict[str, dict[str, int]]:
    """Rejections by source and reason."""
    pairs = Counter(
        zip(rejections.column("source").to_pylist(), rejections.column("reason").to_pylist(), strict=True)
    )
    counts: dict[str, dict[str, int]] = {}
    for (source, reason), count in sorted(pairs.items()):
        counts.setdefault(source, {})[reason] = count
    return counts


def plot_rows(counts: Mapping[str, int], name: str, value: str = "rows") -> list[dict[str, Any]]:
    """Counts as the data points of a bar plot: one object a bar."""
    return [{name: key, value: count} for key, count in counts.items()]


def check_conservation(stage: str, records: int, kept: int, rejected: int) -> None:
    """Raise `UserError` unless every record that came in is kept or rejected."""
    if records != kept + rejected:
        raise UserError(
            [
                Diagnostic(
                    path=f"stage {stage}",
                    code="lost_records",
                    found=f"{records} records in, {kept} kept and {rejected} rejected",
                    expected="records in = kept + rejected",
                    fix="report this as a defect, with the input",
                )
            ]
        )
