"""The entry point of the stage `compile`: `python -m stages.compile`."""

from __future__ import annotations

import os
import sys

from exemplars.core import layout
from exemplars.core.code_version import run_stage
from exemplars.core.files import write_json, write_report
from exemplars.core.params import load_section, read_source_settings
from exemplars.core.table_streams import prepare_process
from exemplars.core.workers import count_workers
from stages.compile.compilation import compile_sources
from stages.compile.inputs import read_inputs
from stages.compile.outputs import open_outputs, write_dictionaries
from stages.compile.params import CompileParams
from stages.compile.report import build_compile_metrics, build_compile_plots, build_compile_report
from stages.compile.summary import summarize_compilation


def main() -> str:
    """Read records and catalogs, compile them, and write exemplars, ledger, catalog and report."""
    prepare_process()
    inputs = read_inputs(load_section("compile", CompileParams), read_source_settings())
    workers = count_workers(int(os.environ.get(layout.WORKERS_VARIABLE, "0")))
    with open_outputs() as (spools, sinks):
        counts = compile_sources(inputs, workers, spools, sinks)
    write_dictionaries(inputs)
    report = build_compile_report(inputs.records, counts)
    write_report("compile", report, build_compile_metrics(report))
    for name, points in build_compile_plots(report).items():
        write_json(layout.plot("compile", name), points)
    return summarize_compilation(counts)


if __name__ == "__main__":
    sys.exit(run_stage("compile", main))
