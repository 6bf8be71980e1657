"""`reports/ingest/<source>.json` and its details: what a source holds, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from exemplars.core.rejection_bound import enforce_rejection_bound
from exemplars.core.reports import count_values, format_summary
from exemplars.core.table_streams import TableSink
from stages.ingest.source_files import Definitions, RowTables, SourceStream


class RowCounts:
    """The rows of a source, counted part by part."""

    def __init__(self) -> None:
        """Begin with no rows."""
        self.definitions = Definitions()
        """Of the source, when all of its rows are counted."""
        self.records = self.rejections = 0
        self.reasons: Counter[str] = Counter()
        self.modes: Counter[str] = Counter()
        self.splits: Counter[str] = Counter()

    def add(self, part: RowTables) -> None:
        """Count the rows of a part."""
        self.records += part.records.num_rows
        self.rejections += part.rejections.num_rows
        self.reasons.update(count_values(part.rejections.column("reason")))
        self.modes.update(count_values(part.records.column("mode")))
        self.splits.update(count_values(part.records.column("split"), empty="(none)"))


def write_rows(source: SourceStream, records: TableSink, rejections: TableSink) -> RowCounts:
    """Give the rows of a source to the writers of its two tables, part by part, and count them."""
    counts = RowCounts()
    for part in source:
        records.write(part.records)
        rejections.write(part.rejections)
        counts.add(part)
    counts.definitions = source.definitions
    return counts


def build_ingest_report(counts: RowCounts) -> dict[str, Any]:
    """Build the report of one source: every record read is in `records` or in `rejections`."""
    return {
        "read": counts.records + counts.rejections,
        "records": counts.records,
        "rejections": counts.rejections,
        "rejections_by_reason": dict(sorted(counts.reasons.items())),
        "records_by_mode": dict(sorted(counts.modes.items())),
        "records_by_split": dict(sorted(counts.splits.items())),
        "skills": len(counts.definitions.skills),
        "recognizers": len(counts.definitions.recognizers.recognizers),
    }


def build_ingest_metrics(report: Mapping[str, Any]) -> dict[str, Any]:
    """Build the metrics of one source from its report."""
    return {
        "rows_in": report["read"],
        "kept": report["records"],
        "rejected": report["rejections"],
        "skills": report["skills"],
    }


def summarize_source(name: str, counts: RowCounts) -> str:
    """Summarize the stage in a line for people.

    Raises `UserError` if more records are rejected than `validate.max_rejection_rate` admits.
    """
    rejected = ((name, reason) for reason in counts.reasons.elements())
    enforce_rejection_bound({name: counts.records}, rejected)
    return format_summary(f"ingest {name}", counts.records, dict(sorted(counts.reasons.items())), "records")
