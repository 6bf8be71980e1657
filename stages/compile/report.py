"""`reports/compile.json`: what became of the records, in numbers."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from exemplars.core.reports import count_rejections, count_values, make_plot_rows
from stages.compile.shards import Compiled


def compile_report(records: dict[str, int], compiled: Compiled) -> dict[str, Any]:
    """The metrics of the stage.

    records: how many came in, by source.
    """
    exemplars, rejections = compiled
    arguments = exemplars.column("arguments").combine_chunks().flatten()
    templates = pc.count_distinct(exemplars.column("exemplar")).as_py()
    by_source = count_values(exemplars.column("source"))
    return {
        "records": sum(records.values()),
        "exemplars": exemplars.num_rows,
        "rejections": rejections.num_rows,
        "templates": templates,
        "template_yield": round(templates / exemplars.num_rows, 4) if exemplars.num_rows else 0.0,
        "records_by_source": dict(sorted(records.items())),
        "exemplars_by_source": by_source,
        "rejections_by_source": count_rejections(rejections),
        "rejections_by_reason": count_values(rejections.column("reason")),
        "grounding": count_values(pc.struct_field(arguments, "grounding")),
        "exemplars_by_mode": count_values(exemplars.column("mode")),
        "exemplars_by_skill": count_values(exemplars.column("skill")),
    }


def compile_plots(report: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The data of the stage's plots, by the name of the plot."""
    return {
        "rejections": make_plot_rows(report["rejections_by_reason"], "reason"),
        "grounding": make_plot_rows(report["grounding"], "grounding"),
        "skills": make_plot_rows(report["exemplars_by_skill"], "skill"),
    }


def rows_by_source(table: pa.Table) -> dict[str, int]:
    """Rows of a table by source."""
    return count_values(table.column("source"))
