"""`reports/compile.json` and its details: how many records became exemplars, and why the others did not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from exemplars.core.reports import build_row_metrics, count_values, group_counts, make_plot_rows
from stages.compile.filling import MAX_SUSPICIOUS, count_groundings, list_suspicious_values, sum_fillings


class CompileCounts:
    """The rows of the stage, counted part by part."""

    def __init__(self) -> None:
        """Begin with no rows."""
        self.templates = 0
        """The number of different templates of exemplars."""
        self.unfilled: Counter[str] = Counter()
        """Templates without values, by source."""
        self.sources: Counter[str] = Counter()
        self.modes: Counter[str] = Counter()
        self.skills: Counter[str] = Counter()
        self.groundings: Counter[tuple[str, str, str]] = Counter()
        """By skill, slot and grounding."""
        self.suspicious: list[dict[str, Any]] = []
        self.rejections: Counter[tuple[str, str, str]] = Counter()
        """By stage, source and reason."""

    def add_exemplars(self, part: pa.Table) -> None:
        """Count exemplars."""
        for name, counter in (("source", self.sources), ("mode", self.modes), ("skill", self.skills)):
            counter.update(count_values(part.column(name)))
        self.groundings.update(count_groundings(part))
        if len(self.suspicious) < MAX_SUSPICIOUS:
            self.suspicious = [*self.suspicious, *list_suspicious_values(part)][:MAX_SUSPICIOUS]

    def add_rejections(self, part: pa.Table) -> None:
        """Count rejections, of this stage or of `ingest`."""
        keys = ["stage", "source", "reason"]
        groups = part.select(keys).group_by(keys).aggregate([([], "count_all")])
        *columns, counts = (groups.column(name).to_pylist() for name in (*keys, "count_all"))
        self.rejections.update(dict(zip(zip(*columns, strict=True), counts, strict=True)))

    def add_templates(self, part: pa.Table) -> None:
        """Count templates without values."""
        self.unfilled.update(count_values(part.column("source")))

    def sum_rejections(self, stage: str | None = None) -> Counter[tuple[str, str]]:
        """Sum the rejections by source and reason. stage: that has rejected them; `None`: any."""
        sums: Counter[tuple[str, str]] = Counter()
        for (by, source, reason), count in self.rejections.items():
            if stage in (None, by):
                sums[source, reason] += count
        return sums


def build_compile_report(records: Mapping[str, int], counts: CompileCounts) -> dict[str, Any]:
    """Build the report of the stage.

    records: the number of records of each source.
    """
    exemplars, rejections = counts.sources.total(), counts.sum_rejections()
    return {
        "records": sum(records.values()),
        "exemplars": exemplars,
        "rejections": rejections.total(),
        "unfilled_templates": counts.unfilled.total(),
        "templates": counts.templates,
        "template_yield": round(counts.templates / exemplars, 4) if exemplars else 0.0,
        "records_by_source": dict(sorted(records.items())),
        "exemplars_by_source": _sort(counts.sources),
        "rejections_by_source": group_counts(rejections),
        "rejections_by_reason": _sort(sum_reasons(rejections)),
        "grounding": _sort(_sum_groundings(counts.groundings)),
        "fillings": sum_fillings(counts.groundings),
        "suspicious_values": counts.suspicious,
        "exemplars_by_mode": _sort(counts.modes),
        "exemplars_by_skill": _sort(counts.skills),
    }


def sum_reasons(rejections: Mapping[tuple[str, str], int]) -> Counter[str]:
    """Sum rejections by their reason. rejections: by source and reason."""
    reasons: Counter[str] = Counter()
    for (_, reason), count in rejections.items():
        reasons[reason] += count
    return reasons


def build_compile_metrics(report: Mapping[str, Any]) -> dict[str, Any]:
    """Build the metrics of the stage from its report."""
    by_source = {source: sum(counts.values()) for source, counts in report["rejections_by_source"].items()}
    unfilled = report["unfilled_templates"]
    metrics = build_row_metrics(
        report["exemplars"], by_source, templates=report["templates"], unfilled_templates=unfilled
    )
    return {**metrics, "rows_in": metrics["rows_in"] + unfilled}


def build_compile_plots(report: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Build the data points of the stage's plots, by the name of the plot."""
    return {
        "rejections": make_plot_rows(report["rejections_by_reason"], "reason"),
        "grounding": make_plot_rows(report["grounding"], "grounding"),
        "skills": make_plot_rows(report["exemplars_by_skill"], "skill"),
    }


def _sum_groundings(groundings: Mapping[tuple[str, str, str], int]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for (_, _, grounding), count in groundings.items():
        sums[grounding] += count
    return sums


def _sort(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items()))
