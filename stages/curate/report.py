"""`reports/curate.json` and its details: the stage in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from exemplars.core.errors import summarize_names
from exemplars.core.records import Reason
from exemplars.core.reports import build_row_metrics, count_sorted, format_summary
from exemplars.core.representativeness import Representativeness
from stages.curate.curation import Curated
from stages.curate.representativeness import summarize_representativeness

_BEFORE_REVIEW: Final = ("duplicates", "conflicts", "label_noise")
"""Figures of steps that come before the counts of the review list; all others follow, in the steps' order."""


def build_curate_report(curated: Curated, measured: Representativeness) -> dict[str, Any]:
    """Build the report of the stage: its own counts, the figures of its steps, and what the rows are about."""
    figures = curated.figures | summarize_representativeness(measured)
    return {
        "exemplars": len(curated.kept) + len(curated.ledger),
        "kept": len(curated.kept),
        "rejected": len(curated.ledger),
        "rejections_by_reason": curated.ledger.count_by_reason(),
        "rejections_by_source": curated.ledger.count_by_source(),
        **{name: figures[name] for name in _BEFORE_REVIEW},
        "review": count_sorted(item.why for item in curated.review),
        **{name: figure for name, figure in figures.items() if name not in _BEFORE_REVIEW},
    }


def build_curate_metrics(report: Mapping[str, Any]) -> dict[str, Any]:
    """Build the metrics of the stage from its report."""
    return build_row_metrics(
        report["kept"],
        report["rejections_by_source"],
        near_duplicates=report["duplicates"]["clustered_rows"],
        to_review=sum(report["review"].values()) + report["rejections_by_reason"].get("pending_review", 0),
        unlabeled_personal_data=sum(report["personal_data"]["unlabelled"].values()),
    )


def summarize_curation(curated: Curated) -> str:
    """Summarize the stage in a line for people."""
    reasons = curated.ledger.count_by_reason()
    to_review = len(curated.review) + reasons.get(Reason.PENDING_REVIEW, 0)
    line = f"{format_summary('curate', len(curated.kept), reasons)}; {to_review:,} to review"
    unknown = curated.figures["decisions"]["unknown_rows"]
    return f"{line}; decisions about rows that are not there: {summarize_names(unknown)}" if unknown else line
