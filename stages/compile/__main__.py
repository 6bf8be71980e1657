"""The entry point of the stage `compile`: `python -m stages.compile`."""

from __future__ import annotations

import gc
import os
import sys

from exemplars.core import layout
from exemplars.core.code_version import run_stage
from exemplars.core.files import write_bytes, write_json, write_report
from exemplars.core.params import load_section, read_source_settings
from exemplars.core.tables import prevent_pandas_import, write_table
from exemplars.core.workers import count_workers
from exemplars.dataset.catalog import encode_catalog
from stages.compile.inputs import read_inputs
from stages.compile.params import CompileParams
from stages.compile.report import build_compile_metrics, build_compile_plots, build_compile_report
from stages.compile.shards import compile_tables
from stages.compile.summary import summarize_compilation


def main() -> str:
    """Read records and catalogs, compile them, and write exemplars, ledger, catalog and report."""
    prevent_pandas_import()
    gc.disable()  # There are millions of rows without reference cycles: collecting takes half of the time.
    inputs = read_inputs(load_section("compile", CompileParams), read_source_settings())
    compiled = compile_tables(inputs, count_workers(int(os.environ.get(layout.WORKERS_VARIABLE, "0"))))
    for path, table in zip((*layout.COMPILED, layout.EDITS), compiled, strict=True):
        write_table(path, table)
    write_bytes(layout.CATALOG, encode_catalog(inputs.skills))
    report = build_compile_report(inputs.records, compiled)
    write_report("compile", report, build_compile_metrics(report))
    for name, points in build_compile_plots(report).items():
        write_json(layout.plot("compile", name), points)
    return summarize_compilation(compiled)


if __name__ == "__main__":
    sys.exit(run_stage("compile", main))
