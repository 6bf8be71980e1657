"""The shell of the stage `compile`: `python -m stages.compile`."""

from __future__ import annotations

import gc
import os
import sys

from stages.compile.grounding import Lexicon
from stages.compile.inputs import read_inputs
from stages.compile.params import CompileParams
from stages.compile.report import compile_plots, compile_report
from stages.compile.shards import compile_tables
from stages.core import layout
from stages.core.catalog import encode_catalog
from stages.core.errors import run_shell
from stages.core.files import write_bytes, write_json
from stages.core.params import load_section
from stages.core.reports import check_conservation
from stages.core.tables import leave_pandas_out, write_table
from stages.core.workers import worker_count


def main() -> None:
    """Read records and catalogs, compile, write exemplars, ledger and report."""
    leave_pandas_out()
    gc.disable()  # Millions of rows without a cycle among them: collecting takes half of the time.
    inputs = read_inputs(load_section("compile", CompileParams))
    skills = {skill.name: skill for skill in inputs.skills}
    workers = worker_count(int(os.environ.get(layout.WORKERS_VARIABLE, "0")))
    compiled = compile_tables(inputs.paths, inputs.rejected, skills, Lexicon(inputs.recognizers), workers)
    check_conservation(
        "compile", sum(inputs.records.values()), compiled.exemplars.num_rows, compiled.rejections.num_rows
    )
    write_table(layout.EXEMPLARS, compiled.exemplars)
    write_table(layout.rejections_of(layout.EXEMPLARS), compiled.rejections)
    write_bytes(layout.CATALOG, encode_catalog(inputs.skills))
    report = compile_report(inputs.records, compiled)
    write_json(layout.report("compile"), report)
    for name, points in compile_plots(report).items():
        write_json(layout.plot("compile", name), points)


if __name__ == "__main__":
    sys.exit(run_shell(main))
