"""`reports/compile.json`: what became of the records, in numbers."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stages.compile.shards import Compiled
from stages.core.reports import counts_of, plot_rows, rejection_counts


def compile_report(records: dict[str, int], compiled: Compiled) -> dict[str, Any]:
    """The metrics of the stage.

    records: how many came in, by source.
    """
    exemplars, rejections = compiled
    arguments = exemplars.column("arguments").combine_chunks().flatten()
    templates = pc.count_distinct(exemplars.column("exemplar")).as_py()
    by_source = counts_of(exemplars.column("source"))
    return {
        "records": sum(records.values()),
        "exemplars": exemplars.num_rows,
        "rejections": rejections.num_rows,
        "templates": templates,
        "template_yield": round(templates / exemplars.num_rows, 4) if exemplars.num_rows else 0.0,
        "records_by_source": dict(sorted(records.items())),
        "exemplars_by_source": by_source,
        "rejections_by_source": rejection_counts(rejections),
        "rejections_by_reason": counts_of(rejections.column("reason")),
        "grounding": counts_of(pc.struct_field(arguments, "grounding")),
        "exemplars_by_mode": counts_of(exemplars.column("mode")),
        "exemplars_by_skill": counts_of(exemplars.column("skill")),
    }


def compile_plots(report: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The data of the stage's plots, by the name of the plot."""
    return {
        "rejections": plot_rows(report["rejections_by_reason"], "reason"),
        "grounding": plot_rows(report["grounding"], "grounding"),
        "skills": plot_rows(report["exemplars_by_skill"], "skill"),
    }


def rows_by_source(table: pa.Table) -> dict[str, int]:
    """Rows of a table by source."""
    return counts_of(table.column("source"))
