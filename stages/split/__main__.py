"""The entry point of the stage `split`: `python -m stages.split`."""

from __future__ import annotations

import sys

from exemplars.core import layout
from exemplars.core.code_version import run_stage
from exemplars.core.files import write_report
from exemplars.core.params import is_generated, load_section, read_source_settings
from exemplars.core.row_groups import RowGroups
from exemplars.core.schemas import EXEMPLAR_SCHEMA, PAIR_SCHEMA
from exemplars.core.table_streams import prepare_process
from exemplars.core.tables import read_table
from exemplars.core.workers import read_worker_count
from stages.split.inputs import read_foreign_texts
from stages.split.outputs import build_split_manifest, write_manifest, write_splits, write_views
from stages.split.params import SplitParams
from stages.split.report import build_split_metrics, build_split_report, summarize_splits
from stages.split.splits import plan_splits


def main() -> str:
    """Run the stage: write the splits, their manifest, the ledger and the report."""
    prepare_process()
    params = load_section("split", SplitParams)
    rows = RowGroups(layout.CURATED, EXEMPLAR_SCHEMA)
    pairs = read_table(layout.PAIRS, PAIR_SCHEMA)
    foreign = read_foreign_texts(layout.AGAINST, params.leaks.against)
    generated = {name for name, source in read_source_settings().items() if is_generated(source)}
    plan = plan_splits(rows, pairs, params, foreign, generated, read_worker_count())
    summaries = write_splits(rows, plan)
    views = write_views(RowGroups(layout.SPEECH, EXEMPLAR_SCHEMA), plan, params.speech)
    write_manifest(plan, build_split_manifest(summaries, params))
    write_report("split", report := build_split_report(plan, summaries, views), build_split_metrics(report))
    return summarize_splits(plan, summaries)


if __name__ == "__main__":
    sys.exit(run_stage("split", main))
