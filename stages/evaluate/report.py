"""`reports/details/evaluate.json`, and the metrics of each system, `reports/evaluate/<system>.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from exemplars.core.bootstrap import Figure, SystemComparison, round_figure
from exemplars.core.digests import hash_split
from stages.evaluate.evaluation import Evaluation
from stages.evaluate.params import EvaluateParams, System
from stages.evaluate.predictions import count_errors, count_wrong_groundings

METRICS: Final = ("skill_accuracy", "argument_f1", "no_call_recall", "hallucinated_functions")
"""The figures that are metrics of a system, besides exact match with its interval."""


def build_evaluate_report(evaluation: Evaluation, run: str, params: EvaluateParams) -> dict[str, Any]:
    """Build the report: the stage in numbers. run: the id of the run that is evaluated."""
    written = [evaluation.rows[place] for place in evaluation.written]
    return {
        "run": run,
        "rows": len(written),
        "data_hash": hash_split(sorted({digest for row in written for digest in row.digests})),
        "speech_views": len(evaluation.rows) - len(written),
        "groups": len({row.group for row in written}),
        "systems": {system.value: _describe_system(evaluation, system) for system in evaluation.figures},
        "reference": params.reference,
        "reference_against": {
            system.value: _describe_comparison(comparison)
            for system, comparison in evaluation.comparisons.items()
        },
        "slices": {
            dimension: {
                value: {"rows": rows, **round_figure(figure)}
                for value, (rows, figure) in values.items()
                if rows >= params.min_slice_rows
            }
            for dimension, values in evaluation.slices[params.reference].items()
        },
    }


def build_system_metrics(report: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Build the metrics of each system from the report; figures that are undefined are left out."""
    metrics = {}
    for name, figures in report["systems"].items():
        exact = figures["exact_match"]
        values = {
            "exact_match": exact["value"],
            "exact_match_low": exact["low"],
            "exact_match_high": exact["high"],
            **{metric: figures[metric]["value"] for metric in METRICS},
        }
        metrics[name] = {metric: value for metric, value in values.items() if value is not None}
    return metrics


def _describe_system(evaluation: Evaluation, system: System) -> dict[str, Any]:
    return {
        **_round_figures(evaluation.figures[system]),
        "errors": count_errors(evaluation, system),
        "wrong_values_by_grounding": count_wrong_groundings(evaluation, system),
        "goal_accuracy": {
            name: {"frames": frames, **_round_figures(figures)}
            for name, (frames, figures) in evaluation.goals[system].items()
        },
        "texts": _round_figures(evaluation.texts.get(system, {})),
    }


def _describe_comparison(comparison: SystemComparison) -> dict[str, Any]:
    return {
        "differences": _round_figures(comparison.differences),
        "only_reference_right": comparison.only_first,
        "right_in_other_alone": comparison.only_second,
        "mcnemar_p": round(comparison.p_value, 6),
        "warning": comparison.warning,
    }


def _round_figures(figures: Mapping[str, Figure]) -> dict[str, dict[str, float | None]]:
    return {name: round_figure(figure) for name, figure in figures.items()}
