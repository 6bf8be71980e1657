"""The results of all suites, and their Data Docs."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from stages.validate.pages import finish_pages
from stages.validate.results import ExpectationResult, build_results
from stages.validate.suite_checks import Outcome, check_suite


def validate_suites(
    suites: Mapping[str, dict[str, Any]],
    tables: Mapping[str, pd.DataFrame],
    bounds: Mapping[str, Any],
    lines: Mapping[str, int | None],
    docs: Path,
    all_pages: bool = False,
) -> list[ExpectationResult]:
    """Judge all expectations, in their order, and build the Data Docs.

    Great Expectations judges the suites that `check_suite` leaves to it, and writes their pages.
    suites, tables: by the same names. bounds: the section `validate`. lines: of its keys in params.yaml. docs: the
    folder to build the Data Docs in; its former pages are removed. all_pages: let Great Expectations judge all suites.
    """
    outcomes: dict[str, list[Outcome]] = {}
    for name, suite in suites.items():
        checked = None if all_pages else check_suite(name, suite, tables[name], bounds)
        if checked is not None:
            outcomes[name] = checked
    shutil.rmtree(docs, ignore_errors=True)
    left = {name: suite for name, suite in suites.items() if name not in outcomes}
    if left:
        # Great Expectations takes seconds to import.
        from stages.validate.checkpoint import run_checkpoint

        for outcome in run_checkpoint(left, tables, bounds, docs):
            outcomes.setdefault(outcome.suite, []).append(outcome)
    ordered = [outcome for name in suites for outcome in outcomes[name]]
    results = build_results(suites, tables, ordered, bounds, lines)
    finish_pages(docs, suites, results)
    return results
