"""The entry point of the stage `curate`: `python -m stages.curate`."""

from __future__ import annotations

import sys
from functools import partial

from exemplars.core import layout
from exemplars.core.code_version import run_stage
from exemplars.core.files import write_json, write_report
from exemplars.core.params import load_section
from exemplars.core.reports import announce_step
from exemplars.core.table_streams import prepare_process
from exemplars.core.workers import read_worker_count
from stages.curate.curation import curate
from stages.curate.inputs import read_inputs
from stages.curate.kept_rows import write_kept_rows, write_lists
from stages.curate.params import CurateParams
from stages.curate.report import build_curate_metrics, build_curate_report, summarize_curation
from stages.curate.scratch import open_scratch
from stages.curate.text_cache import write_text_cache


def main() -> str:
    """Run the stage: write what is kept, the ledger, the lists, the speech views and the report."""
    prepare_process()
    params, workers = load_section("curate", CurateParams), read_worker_count()
    inputs = read_inputs(params)
    with open_scratch(layout.CURATED.parent) as scratch:
        curated = curate(inputs, params, scratch, partial(announce_step, "curate"), workers)
        measured = write_kept_rows(curated, inputs, workers)
        write_lists(curated)
    write_json(layout.REPRESENTATIVENESS, measured)
    write_report("curate", report := build_curate_report(curated, measured), build_curate_metrics(report))
    write_text_cache(curated.cache)
    return summarize_curation(curated)


if __name__ == "__main__":
    sys.exit(run_stage("curate", main))
