"""`reports/split.json` and its details: which rows and skills the splits have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from exemplars.core.reports import build_row_metrics, count_values, format_summary
from stages.split.splits import SplitResult


def summarize_splits(result: SplitResult) -> str:
    """Summarize the stage in a line for people."""
    kept = sum(table.num_rows for table in result.tables.values())
    sizes = ", ".join(f"{name} {table.num_rows:,}" for name, table in result.tables.items())
    return f"{format_summary('split', kept, count_values(result.rejections.column('reason')))}; {sizes}"


def build_split_report(result: SplitResult, views: pa.Table) -> dict[str, Any]:
    """Build the report of the stage.

    views: the speech views that join the splits.
    """
    skills = {name: count_values(table.column("skill")) for name, table in result.tables.items()}
    all_skills = sorted(set().union(*skills.values()))
    return {
        "exemplars": sum(table.num_rows for table in result.tables.values()) + result.rejections.num_rows,
        "rows": {name: table.num_rows for name, table in result.tables.items()},
        "speech_views": count_values(views.column("split")),
        "leaked": result.rejections.num_rows,
        "leaked_by_source": count_values(result.rejections.column("source")),
        "rescued_groups": len(result.rescued),
        "skills_missing": {
            name: [skill for skill in all_skills if skill not in counts] for name, counts in skills.items()
        },
        "rows_by_skill": skills,
    }


def build_split_metrics(report: Mapping[str, Any]) -> dict[str, Any]:
    """Build the metrics of the stage from its report: `train_rows` and the like, and what leaked."""
    rows = report["rows"]
    return build_row_metrics(
        sum(rows.values()),
        report["leaked_by_source"],
        **{f"{name}_rows": count for name, count in rows.items()},
    )
