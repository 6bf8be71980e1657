"""`reports/ingest/<source>.json`: what a source holds, in numbers."""

from __future__ import annotations

from typing import Any

from exemplars.core.reports import count_values
from stages.ingest.files import SourceTables


def ingest_report(tables: SourceTables) -> dict[str, Any]:
    """The metrics of one source: every record read is in `records` or in `rejections`."""
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
