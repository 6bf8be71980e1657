"""`reports/train/<recipe>.json` and its details: what a training did, in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stages.train.run import TrainedRun


def build_train_report(trained: TrainedRun) -> dict[str, Any]:
    """Build the report of the stage: what it did in numbers, without times and the machine."""
    manifest = trained.manifest
    return {
        "run": manifest.run,
        "losses": {name: round(value, 4) for name, value in manifest.losses.items()},
        "steps": manifest.steps,
        "tokens": manifest.tokens,
        "parameters": trained.parameters.all,
        "trained_parameters": trained.parameters.trained,
        **trained.figures,
    }


def build_train_metrics(report: Mapping[str, Any]) -> dict[str, Any]:
    """Build the metrics of the stage from its report."""
    return {
        **report["losses"],
        "steps": report["steps"],
        "tokens": report["tokens"],
        "trained_parameters": report["trained_parameters"],
        **{
            f"validation_{name}": report["validation"][name]
            for name in ("exact_match", "skill_accuracy", "answered", "exact_match_of_answered")
            if "validation" in report
        },
        **_list_retrieval_metrics(report),
    }


def _list_retrieval_metrics(report: Mapping[str, Any]) -> dict[str, Any]:
    """List the figures of the fused ranking of all validation rows, and the number of tools that they ask for."""
    if "retrieval" not in report:
        return {}
    figures = report["retrieval"]["all"]["fused"]
    return {
        "tools": report["tools"],
        **{f"validation_{name}": figure["value"] for name, figure in figures.items()},
    }
