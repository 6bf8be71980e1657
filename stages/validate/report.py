"""`reports/validate.json`: which expectations the dataset meets."""

from __future__ import annotations

from typing import Any

from stages.validate.checkpoint import CheckpointResult


def build_validation_report(result: CheckpointResult) -> dict[str, Any]:
    """Build the metrics of the stage."""
    critical = sum(failure.critical for failure in result.failures)
    return {
        "expectations": sum(result.expectations.values()),
        "failed_critical": critical,
        "failed_warning": len(result.failures) - critical,
        "failures": [f"{failure.suite}: {failure.diagnostic.code}" for failure in result.failures],
    }
