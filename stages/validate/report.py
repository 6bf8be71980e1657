"""`reports/validate.json`: which expectations the data set meets."""

from __future__ import annotations

from typing import Any

from stages.validate.checkpoint import Verdict


def validate_report(verdict: Verdict) -> dict[str, Any]:
    """The metrics of the stage."""
    return {
        "expectations": sum(verdict.expectations.values()),
        "failed_critical": sum(one.critical for one in verdict.failures),
        "failed_warning": sum(not one.critical for one in verdict.failures),
        "failures": [f"{one.suite}: {one.diagnostic.code}" for one in verdict.failures],
    }
