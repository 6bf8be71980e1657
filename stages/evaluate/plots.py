"""The data points of the stage's plots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from exemplars.core.conditions import HEADLINE
from stages.evaluate.confidence import list_risk_points
from stages.evaluate.evaluation import Evaluation
from stages.evaluate.predictions import list_confusions, list_error_counts

_DIMENSIONS: Final = ("skill", "service")
"""The dimensions with too many slices for a plot."""


def build_evaluate_plots(
    evaluation: Evaluation, report: Mapping[str, Any], reference: str
) -> dict[str, list[dict[str, Any]]]:
    """Build the points of all plots, by name.

    evaluation: under `HEADLINE`. report: as `build_evaluate_report` returns it. reference: the system whose errors
    and slices are shown.
    """
    return {
        "systems": _list_points("system", _list_exact_matches(report)),
        "slices": _list_points("slice", _list_slices(report["conditions"][HEADLINE])),
        "errors": list_error_counts(evaluation, reference),
        "confusion": list_confusions(evaluation, reference),
        "risk": list_risk_points(report),
    }


def _list_exact_matches(report: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {
        f"{name}, {condition.replace('_', ' ')}": figures["exact_match"]
        for condition, described in report["conditions"].items()
        for name, figures in described["systems"].items()
    }


def _list_slices(described: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {
        f"{dimension}: {name}": figure
        for dimension, slices in described["slices"].items()
        if dimension not in _DIMENSIONS
        for name, figure in slices.items()
    }


def _list_points(name: str, figures: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {name: key, "exact_match": figure["value"], "low": figure["low"], "high": figure["high"]}
        for key, figure in figures.items()
    ]
