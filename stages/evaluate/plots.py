"""The data points of the stage's plots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from stages.evaluate.evaluation import Evaluation
from stages.evaluate.params import System
from stages.evaluate.predictions import list_confusions, list_error_counts

_DIMENSIONS: Final = ("skill", "service")
"""The dimensions with too many slices for a plot."""


def build_evaluate_plots(
    evaluation: Evaluation, report: Mapping[str, Any], reference: System
) -> dict[str, list[dict[str, Any]]]:
    """Build the points of all plots, by name.

    report: as `build_evaluate_report` returns it. reference: the system whose errors and slices are shown.
    """
    return {
        "systems": _list_points("system", _list_exact_matches(report)),
        "slices": _list_points("slice", _list_slices(report)),
        "errors": list_error_counts(evaluation, reference),
        "confusion": list_confusions(evaluation, reference),
    }


def _list_exact_matches(report: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {name: figures["exact_match"] for name, figures in report["systems"].items()}


def _list_slices(report: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {
        f"{dimension}: {name}": figure
        for dimension, slices in report["slices"].items()
        if dimension not in _DIMENSIONS
        for name, figure in slices.items()
    }


def _list_points(name: str, figures: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {name: key, "exact_match": figure["value"], "low": figure["low"], "high": figure["high"]}
        for key, figure in figures.items()
    ]
