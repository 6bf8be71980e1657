"""Data Docs of all expectation suites, by Great Expectations."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.params import find_lines, load_section
from stages.validate.inputs import read_inputs, read_suites
from stages.validate.params import ValidateParams
from stages.validate.reachability import soften_unreachable_bounds
from stages.validate.suite_tables import build_suite_tables
from stages.validate.validation import validate_suites

_INDEX: Final = "index.html"


def write_data_docs(folder: Path) -> tuple[int, int]:
    """Write the pages of all suites to a folder, whose former pages are removed.

    Returns the number of expectations that are met, and of all. Raises `UserError` if an input is missing, or if the
    folder has other files than such pages.
    """
    if folder.exists() and not (folder / _INDEX).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError([_report_folder(folder)])
    params = load_section("validate", ValidateParams)
    tables = build_suite_tables(read_inputs(), params)
    suites = soften_unreachable_bounds(read_suites(tables), tables, params)
    bounds = msgspec.to_builtins(params)
    results = validate_suites(suites, tables, bounds, find_lines("validate"), folder, all_pages=True)
    return sum(result.passed for result in results), len(results)


def _report_folder(folder: Path) -> Diagnostic:
    return Diagnostic(
        path=str(folder),
        code="other_files",
        found="a folder or file that is no Data Docs",
        expected="a new folder, or one that this command wrote",
        fix="name another folder",
    )
