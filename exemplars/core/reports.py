"""Counts that every stage reports alike, for `dvc metrics diff` and `dvc plots`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

NO_SKILL = "(none)"
"""How rows that ask for no skill are called in reports."""


def count_values(column: pa.ChunkedArray, empty: str = NO_SKILL) -> dict[str, int]:
    """How often each value stands in a column of text, by value; null counts as `empty`."""
    counted = pc.value_counts(column)
    return dict(sorted((row["values"].as_py() or empty, row["counts"].as_py()) for row in counted))


def count_sorted(values: Iterable[str]) -> dict[str, int]:
    """How often each text occurs, by text."""
    return dict(sorted(Counter(values).items()))


def count_rejections(rejections: pa.Table) -> dict[str, dict[str, int]]:
    """Rejections by source and reason."""
    pairs = Counter(
        zip(rejections.column("source").to_pylist(), rejections.column("reason").to_pylist(), strict=True)
    )
    counts: dict[str, dict[str, int]] = {}
    for (source, reason), count in sorted(pairs.items()):
        counts.setdefault(source, {})[reason] = count
    return counts


def make_plot_rows(counts: Mapping[str, int], name: str, value: str = "rows") -> list[dict[str, Any]]:
    """Counts as the data points of a bar plot: one object a bar."""
    return [{name: key, value: count} for key, count in counts.items()]
