"""`reports/split.json` and its details: which rows and skills the splits have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exemplars.core.reports import build_row_metrics, format_summary
from stages.split.outputs import RejectionCounts, SplitSummary
from stages.split.splits import SplitPlan


def summarize_splits(summaries: Mapping[str, SplitSummary], leaked: RejectionCounts) -> str:
    """Summarize the stage in a line for people."""
    kept = sum(summary.rows for summary in summaries.values())
    sizes = ", ".join(f"{name} {summary.rows:,}" for name, summary in summaries.items())
    return f"{format_summary('split', kept, leaked.reasons)}; {sizes}"


def build_split_report(
    plan: SplitPlan, summaries: Mapping[str, SplitSummary], leaked: RejectionCounts, views: Mapping[str, int]
) -> dict[str, Any]:
    """Build the report of the stage.

    views: the number of speech views that join each split.
    """
    all_skills = sorted(set().union(*(summary.skills for summary in summaries.values())))
    rejected = sum(leaked.reasons.values())
    return {
        "exemplars": sum(summary.rows for summary in summaries.values()) + rejected,
        "rows": {name: summary.rows for name, summary in summaries.items()},
        "speech_views": dict(views),
        "leaked": rejected,
        "leaked_by_source": leaked.sources,
        "rescued_groups": len(plan.rescued),
        "skills_missing": {
            name: [skill for skill in all_skills if skill not in summary.skills]
            for name, summary in summaries.items()
        },
        "rows_by_skill": {name: summary.skills for name, summary in summaries.items()},
    }


def build_split_metrics(report: Mapping[str, Any]) -> dict[str, Any]:
    """Build the metrics of the stage from its report: `train_rows` and the like, and what leaked."""
    rows = report["rows"]
    return build_row_metrics(
        sum(rows.values()),
        report["leaked_by_source"],
        **{f"{name}_rows": count for name, count in rows.items()},
    )
