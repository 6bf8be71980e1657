"""`reports/compile.json` and its details: how many records became exemplars, and why the others did not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow.compute as pc

from exemplars.core.reports import build_row_metrics, count_rejections, count_values, make_plot_rows
from stages.compile.filling import count_fillings, list_suspicious_values
from stages.compile.shards import Compiled


def build_compile_report(records: Mapping[str, int], compiled: Compiled) -> dict[str, Any]:
    """Build the report of the stage.

    records: the number of records of each source.
    """
    exemplars, rejections, unfilled, _ = compiled
    arguments = exemplars.column("arguments").combine_chunks().flatten()
    templates = pc.count_distinct(exemplars.column("exemplar")).as_py()
    return {
        "records": sum(records.values()),
        "exemplars": exemplars.num_rows,
        "rejections": rejections.num_rows,
        "unfilled_templates": unfilled.num_rows,
        "templates": templates,
        "template_yield": round(templates / exemplars.num_rows, 4) if exemplars.num_rows else 0.0,
        "records_by_source": dict(sorted(records.items())),
        "exemplars_by_source": count_values(exemplars.column("source")),
        "rejections_by_source": count_rejections(rejections),
        "rejections_by_reason": count_values(rejections.column("reason")),
        "grounding": count_values(pc.struct_field(arguments, "grounding")),
        "fillings": count_fillings(exemplars),
        "suspicious_values": list_suspicious_values(exemplars),
        "exemplars_by_mode": count_values(exemplars.column("mode")),
        "exemplars_by_skill": count_values(exemplars.column("skill")),
    }


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
