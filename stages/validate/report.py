"""`reports/validate.json` and its details: which expectations the dataset meets, and by what margin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from stages.validate.results import ExpectationResult


def build_validation_report(results: Sequence[ExpectationResult]) -> dict[str, Any]:
    """Build the report of the stage: its counts, and the list of all results."""
    failed = [result.severity for result in results if not result.passed]
    critical = failed.count("critical")
    return {
        "expectations": len(results),
        "failed_critical": critical,
        "failed_warning": len(failed) - critical,
        "results": [_describe(result) for result in results],
    }


def build_validation_metrics(report: Mapping[str, Any]) -> dict[str, int]:
    """Build the metrics of the stage from its report."""
    return {key: report[key] for key in ("expectations", "failed_critical", "failed_warning")}


def _describe(result: ExpectationResult) -> dict[str, Any]:
    """Describe a result without its line: an edit of a comment in params.yaml must not change the report."""
    document: dict[str, Any] = msgspec.to_builtins(result)
    del document["line"]
    return document


def summarize_validation(results: Sequence[ExpectationResult]) -> str:
    """Summarize the stage in a line for people, if no critical expectation is broken."""
    met = sum(result.passed for result in results)
    broken = len(results) - met
    return f"validate: {met} of {len(results)} expectations met, {broken} warning{'s' * (broken != 1)}"
