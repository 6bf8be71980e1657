"""The entry point of the stage `validate`: `python -m stages.validate`."""

from __future__ import annotations

import sys

import msgspec

from exemplars.core import layout
from exemplars.core.code_version import run_stage
from exemplars.core.files import write_report
from exemplars.core.params import find_lines, load_section
from stages.validate.inputs import read_inputs, read_suites
from stages.validate.params import ValidateParams
from stages.validate.reachability import soften_unreachable_bounds
from stages.validate.report import build_validation_metrics, build_validation_report, summarize_validation
from stages.validate.results import report_broken
from stages.validate.suite_tables import build_suite_tables
from stages.validate.validation import validate_suites


def main() -> str:
    """Run the stage: write Data Docs and the report; fail if a critical expectation is broken."""
    params = load_section("validate", ValidateParams)
    bounds = msgspec.to_builtins(params)
    tables = build_suite_tables(read_inputs(), params)
    suites = soften_unreachable_bounds(read_suites(tables), tables, params)
    lines = find_lines("validate")
    results = validate_suites(suites, tables, bounds, lines, layout.REPORTS / "data_docs")
    write_report("validate", report := build_validation_report(results), build_validation_metrics(report))
    report_broken(results)
    return summarize_validation(results)


if __name__ == "__main__":
    sys.exit(run_stage("validate", main))
