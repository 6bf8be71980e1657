"""The entry point of the stage `curate`: `python -m stages.curate`."""

from __future__ import annotations

import sys
from functools import partial

from exemplars.core import layout
from exemplars.core.code_version import run_stage
from exemplars.core.files import write_json, write_report
from exemplars.core.params import load_section
from exemplars.core.records import Exemplar, Rejection, ReviewItem, TextPair
from exemplars.core.reports import announce_step
from exemplars.core.tables import rows_to_table, write_table
from stages.curate.curation import curate
from stages.curate.inputs import read_inputs
from stages.curate.params import CurateParams
from stages.curate.report import build_curate_metrics, build_curate_report, summarize_curation
from stages.curate.text_cache import write_text_cache


def main() -> str:
    """Run the stage: write what is kept, the ledger, the lists, the speech views and the report."""
    params = load_section("curate", CurateParams)
    inputs = read_inputs(params)
    curated = curate(inputs, params, inputs.surrogate_key, partial(announce_step, "curate"))
    write_table(layout.CURATED, rows_to_table(curated.kept, Exemplar))
    write_table(layout.ledger_path(layout.CURATED), rows_to_table(curated.rejections, Rejection))
    write_table(layout.PAIRS, rows_to_table(curated.pairs, TextPair))
    write_table(layout.SPEECH, rows_to_table(curated.speech, Exemplar))
    write_table(layout.REVIEW, rows_to_table(curated.review, ReviewItem))
    write_json(layout.REPRESENTATIVENESS, curated.representativeness)
    write_report("curate", report := build_curate_report(curated), build_curate_metrics(report))
    write_text_cache(inputs.texts)
    return summarize_curation(curated)


if __name__ == "__main__":
    sys.exit(run_stage("curate", main))
