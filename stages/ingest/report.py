"""`reports/ingest/<source>.json` and its details: what a source holds, in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exemplars.core.rejection_bound import enforce_rejection_bound
from exemplars.core.reports import count_values, format_summary
from stages.ingest.source_files import SourceTables


def build_ingest_report(tables: SourceTables) -> dict[str, Any]:
    """Build the report of one source: every record read is in `records` or in `rejections`."""
    return {
        "read": tables.records.num_rows + tables.rejections.num_rows,
        "records": tables.records.num_rows,
        "rejections": tables.rejections.num_rows,
        "rejections_by_reason": count_values(tables.rejections.column("reason")),
        "records_by_mode": count_values(tables.records.column("mode")),
        "records_by_split": count_values(tables.records.column("split"), empty="(none)"),
        "skills": len(tables.skills),
        "recognizers": len(tables.recognizers.recognizers),
    }


def build_ingest_metrics(report: Mapping[str, Any]) -> dict[str, Any]:
    """Build the metrics of one source from its report."""
    return {
        "rows_in": report["read"],
        "kept": report["records"],
        "rejected": report["rejections"],
        "skills": report["skills"],
    }


def summarize_source(name: str, tables: SourceTables) -> str:
    """Summarize the stage in a line for people.

    Raises `UserError` if more records are rejected than `validate.max_rejection_rate` admits.
    """
    kept, reasons = tables.records.num_rows, tables.rejections.column("reason")
    enforce_rejection_bound({name: kept}, ((name, reason) for reason in reasons.to_pylist()))
    return format_summary(f"ingest {name}", kept, count_values(reasons), "records")
