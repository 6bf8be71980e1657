"""The entry point of the stage `ingest`: `python -m stages.ingest SOURCE`, or `ingest@SOURCE` as DVC names it."""

from __future__ import annotations

import gc
import os
import sys

from exemplars.core import layout
from exemplars.core.code_version import parse_stage_key, run_stage
from exemplars.core.files import write_bytes, write_report
from exemplars.core.params import load_section
from exemplars.core.tables import prevent_pandas_import, write_table
from exemplars.core.workers import count_workers
from exemplars.dataset.catalog import encode_catalog
from exemplars.dataset.recognizers import encode_recognizers
from stages.ingest.erasure import read_erasures
from stages.ingest.params import IngestParams
from stages.ingest.report import build_ingest_metrics, build_ingest_report, summarize_source
from stages.ingest.sources import read_source


def main() -> str:
    """Read one source; write its records, ledger, catalog, recognizers and report."""
    name = parse_stage_key(sys.argv[1:], "ingest", "source")
    prevent_pandas_import()
    gc.disable()  # Millions of rows without a cycle among them: collecting takes half the time.
    workers = count_workers(int(os.environ.get(layout.WORKERS_VARIABLE, "0")))
    tables = read_source(name, load_section("ingest", IngestParams), workers, read_erasures(os.environ))
    write_table(layout.records(name), tables.records)
    write_table(layout.record_rejections(name), tables.rejections)
    write_bytes(layout.source_catalog(name), encode_catalog(tables.skills))
    write_bytes(layout.source_recognizers(name), encode_recognizers(tables.recognizers))
    report = build_ingest_report(tables)
    write_report(f"ingest/{name}", report, build_ingest_metrics(report))
    return summarize_source(name, tables)


if __name__ == "__main__":
    sys.exit(run_stage("ingest", main))
