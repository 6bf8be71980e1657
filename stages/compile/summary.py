"""What the stage did in a line, and whether it lost too much."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from exemplars.core.rejection_bound import enforce_rejection_bound
from exemplars.core.reports import count_values, format_summary
from stages.compile.shards import Compiled


def summarize_compilation(compiled: Compiled) -> str:
    """Summarize the stage in a line for people: what it rejects itself, and not what `ingest` has rejected.

    Raises `UserError` if both together reject more records of a source than `validate.max_rejection_rate` admits.
    """
    exemplars, rejections, templates, _ = compiled
    columns = (rejections.column(name).to_pylist() for name in ("source", "reason"))
    kept = pa.chunked_array(
        [*exemplars.column("source").chunks, *templates.column("source").chunks], pa.string()
    )
    enforce_rejection_bound(count_values(kept), zip(*columns, strict=True))
    own = rejections.filter(pc.field("stage") == "compile")
    reasons = count_values(own.column("reason"))
    return format_summary("compile", exemplars.num_rows, reasons, "records", templates.num_rows)
