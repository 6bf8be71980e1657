"""The entry point of the stage `validate`: `python -m stages.validate`."""

from __future__ import annotations

import shutil
import sys

import msgspec

from exemplars.core import layout
from exemplars.core.errors import UserError, run_main
from exemplars.core.files import write_json
from exemplars.core.params import load_section
from exemplars.core.terminal import print_errors
from stages.validate.checkpoint import run_checkpoint
from stages.validate.inputs import read_inputs, read_suite
from stages.validate.pages import finish_pages
from stages.validate.params import ValidateParams
from stages.validate.report import build_validation_report
from stages.validate.suite_tables import build_suite_tables


def main() -> str:
    """Run the stage: write Data Docs and the report; fail if a critical expectation is broken."""
    params = load_section("validate", ValidateParams)
    tables = build_suite_tables(read_inputs(), params)
    suites = {name: read_suite(layout.expectations(name)) for name in tables}
    docs = layout.REPORTS / "data_docs"
    shutil.rmtree(docs, ignore_errors=True)
    result = run_checkpoint(suites, tables, msgspec.to_builtins(params), docs)
    finish_pages(docs, suites, {failure.suite for failure in result.failures})
    write_json(layout.report("validate"), report := build_validation_report(result))
    print_errors(f"warning: {warning}" for warning in result.list_diagnostics(critical=False))
    if problems := result.list_diagnostics(critical=True):
        raise UserError(problems)
    return f"validate: {report['expectations']} expectations met, {report['failed_warning']} warnings"


if __name__ == "__main__":
    sys.exit(run_main(main))
