"""What the stage did in a line, and whether it lost too much."""

from __future__ import annotations

from exemplars.core.rejection_bound import enforce_rejection_bound
from exemplars.core.reports import format_summary
from stages.compile.report import CompileCounts, sum_reasons


def summarize_compilation(counts: CompileCounts) -> str:
    """Summarize the stage in a line for people: what it rejects itself, and not what `ingest` has rejected.

    Raises `UserError` if both together reject more records of a source than `validate.max_rejection_rate` admits.
    """
    enforce_rejection_bound(counts.sources + counts.unfilled, counts.sum_rejections().elements())
    reasons = sum_reasons(counts.sum_rejections("compile"))
    kept, unfilled = counts.sources.total(), counts.unfilled.total()
    return format_summary("compile", kept, reasons, "records", unfilled)
