"""The shell of the stage `compile`: `python -m stages.compile`."""

from __future__ import annotations

import gc
import os
import sys

from exemplars.core import layout
from exemplars.core.errors import run_main
from exemplars.core.files import write_bytes, write_json
from exemplars.core.ledger import check_conservation
from exemplars.core.params import load_section
from exemplars.core.tables import prevent_pandas_import, write_table
from exemplars.core.workers import count_workers
from exemplars.dataset.catalog import encode_catalog
from stages.compile.grounding import Lexicon
from stages.compile.inputs import read_inputs
from stages.compile.params import CompileParams
from stages.compile.report import compile_plots, compile_report
from stages.compile.shards import compile_tables


def main() -> None:
    """Read records and catalogs, compile, write exemplars, ledger and report."""
    prevent_pandas_import()
    gc.disable()  # Millions of rows without a cycle among them: collecting takes half of the time.
    inputs = read_inputs(load_section("compile", CompileParams))
    skills = {skill.name: skill for skill in inputs.skills}
    workers = count_workers(int(os.environ.get(layout.WORKERS_VARIABLE, "0")))
    compiled = compile_tables(inputs.paths, inputs.rejected, skills, Lexicon(inputs.recognizers), workers)
    check_conservation(
        "compile", sum(inputs.records.values()), compiled.exemplars.num_rows, compiled.rejections.num_rows
    )
    write_table(layout.EXEMPLARS, compiled.exemplars)
    write_table(layout.ledger_path(layout.EXEMPLARS), compiled.rejections)
    write_bytes(layout.CATALOG, encode_catalog(inputs.skills))
    report = compile_report(inputs.records, compiled)
    write_json(layout.report("compile"), report)
    for name, points in compile_plots(report).items():
        write_json(layout.plot("compile", name), points)


if __name__ == "__main__":
    sys.exit(run_main(main))
