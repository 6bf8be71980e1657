"""The shell of the stage `ingest`: `python -m stages.ingest SOURCE`."""

from __future__ import annotations

import gc
import os
import sys

from stages.core import layout
from stages.core.catalog import encode_catalog
from stages.core.errors import run_shell
from stages.core.files import write_bytes, write_json
from stages.core.params import load_section
from stages.core.recognizers import encode_recognizers
from stages.core.tables import leave_pandas_out, write_table
from stages.core.workers import worker_count
from stages.ingest.erasing import read_erasures
from stages.ingest.params import IngestParams
from stages.ingest.report import ingest_report
from stages.ingest.sources import read_source


def main() -> None:
    """Read one source, write its records, ledger, catalog, recognizers and report."""
    name = sys.argv[1]
    leave_pandas_out()
    gc.disable()  # Millions of rows without a cycle among them: collecting takes half of the time.
    workers = worker_count(int(os.environ.get(layout.WORKERS_VARIABLE, "0")))
    tables = read_source(name, load_section("ingest", IngestParams), workers, read_erasures(os.environ))
    write_table(layout.records(name), tables.records)
    write_table(layout.record_rejections(name), tables.rejections)
    write_bytes(layout.source_catalog(name), encode_catalog(tables.skills))
    write_bytes(layout.source_recognizers(name), encode_recognizers(tables.recognizers))
    write_json(layout.report(f"ingest/{name}"), ingest_report(tables))


if __name__ == "__main__":
    sys.exit(run_shell(main))
