"""The entry point of the stage `split`: `python -m stages.split`."""

from __future__ import annotations

import sys

from exemplars.core import layout
from exemplars.core.code_version import run_stage
from exemplars.core.files import write_json, write_report
from exemplars.core.params import load_section
from exemplars.core.row_groups import RowGroups
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.table_streams import open_spool, prepare_process
from exemplars.core.workers import read_worker_count
from stages.split.inputs import read_inputs
from stages.split.outputs import build_split_manifest, write_rejections, write_splits, write_views
from stages.split.params import SplitParams
from stages.split.report import build_split_metrics, build_split_report, summarize_splits
from stages.split.row_keys import KEY_SCHEMA
from stages.split.splits import plan_splits


def main() -> str:
    """Run the stage: write the splits, their manifest, the ledger and the report."""
    prepare_process()
    params = load_section("split", SplitParams)
    inputs = read_inputs(params)
    with open_spool(layout.MANIFEST.parent, KEY_SCHEMA) as spool:
        plan = plan_splits(inputs, params, spool, read_worker_count())
        leaked = write_rejections(inputs.rows, plan)
        summaries = write_splits(inputs.rows, plan)
        views = write_views(RowGroups(layout.SPEECH, EXEMPLAR_SCHEMA), plan, params.speech)
    write_json(layout.MANIFEST, build_split_manifest(summaries, params))
    report = build_split_report(plan, summaries, leaked, views)
    write_report("split", report, build_split_metrics(report))
    return summarize_splits(summaries, leaked)


if __name__ == "__main__":
    sys.exit(run_stage("split", main))
