"""The entry point of the stage `ingest`: `python -m stages.ingest SOURCE`, or `ingest@SOURCE` as DVC names it."""

from __future__ import annotations

import os
import sys

from exemplars.core import layout
from exemplars.core.code_version import parse_stage_key, run_stage
from exemplars.core.files import write_bytes, write_report
from exemplars.core.params import load_section
from exemplars.core.schemas import RECORD_SCHEMA, REJECTION_SCHEMA
from exemplars.core.table_streams import open_sorted_table, prepare_process
from exemplars.core.workers import count_workers
from exemplars.dataset.catalog import encode_catalog
from exemplars.dataset.recognizers import encode_recognizers
from stages.ingest.erasure import read_erasures
from stages.ingest.params import IngestParams
from stages.ingest.report import build_ingest_metrics, build_ingest_report, summarize_source, write_rows
from stages.ingest.sources import stream_source


def main() -> str:
    """Read one source; write its records, ledger, catalog, recognizers and report."""
    name = parse_stage_key(sys.argv[1:], "ingest", "source")
    prepare_process()
    workers = count_workers(int(os.environ.get(layout.WORKERS_VARIABLE, "0")))
    source = stream_source(name, load_section("ingest", IngestParams), workers, read_erasures(os.environ))
    kept, lost = layout.records(name), layout.record_rejections(name)
    with open_sorted_table(kept, RECORD_SCHEMA) as rows, open_sorted_table(lost, REJECTION_SCHEMA) as ledger:
        counts = write_rows(source, rows, ledger)
    write_bytes(layout.source_catalog(name), encode_catalog(counts.definitions.skills))
    write_bytes(layout.source_recognizers(name), encode_recognizers(counts.definitions.recognizers))
    write_report(f"ingest/{name}", report := build_ingest_report(counts), build_ingest_metrics(report))
    return summarize_source(name, counts)


if __name__ == "__main__":
    sys.exit(run_stage("ingest", main))
