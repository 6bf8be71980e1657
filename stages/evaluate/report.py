"""`reports/details/evaluate.json`, and the metrics of each system, `reports/evaluate/<condition>/<system>.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from exemplars.core.bootstrap import Figure, SystemComparison, round_figure
from exemplars.core.conditions import HEADLINE, Condition
from exemplars.core.digests import hash_split
from stages.evaluate.confidence import describe_confidence
from stages.evaluate.evaluation import Evaluation
from stages.evaluate.params import EvaluateParams
from stages.evaluate.predictions import count_errors, count_wrong_groundings

METRICS: Final = ("skill_accuracy", "hallucinated_functions")
"""The figures that are metrics of a system under `HEADLINE`, besides exact match with its interval.

Under other conditions only exact match is one, so that `dvc metrics diff` fits a screen.
"""


class Retrieval(NamedTuple):
    """What found the tools that prompts show under `end_to_end`, and how well."""

    by: str
    """The ranking that was shown: `fused` of a retriever, or `nearest_rows` without one."""
    tools: int
    """The number of tools that a prompt shows, unless they do not fit."""
    figures: Mapping[str, Any]
    """Of all rankings on the test rows that call something, by slice, ranking and metric."""


def build_evaluate_report(
    evaluations: Mapping[Condition, Evaluation],
    runs: Mapping[str, Mapping[str, str]],
    retrieval: Retrieval,
    robustness: Mapping[str, Any],
    params: EvaluateParams,
) -> dict[str, Any]:
    """Build the report: the stage in numbers.

    runs: the id and the role of each run that is evaluated, by the name of its recipe. robustness: of `rate_variants`.
    """
    evaluation = next(iter(evaluations.values()))
    written = [evaluation.task.rows[place] for place in evaluation.written]
    return {
        "runs": {name: dict(run) for name, run in runs.items()},
        "rows": len(written),
        "data_hash": hash_split(sorted({digest for row in written for digest in row.digests})),
        "speech_views": len(evaluation.task.rows) - len(written),
        "groups": len({row.group for row in written}),
        "not_asked": sum(not row.prompt_tokens for row in evaluations[Condition.ORACLE].task.rows),
        "retrieval": retrieval._asdict(),
        "robustness": dict(robustness),
        "reference": params.reference,
        "conditions": {
            condition.value: _describe_condition(evaluation, params)
            for condition, evaluation in evaluations.items()
        },
    }


def build_system_metrics(report: Mapping[str, Any]) -> dict[str, dict[str, dict[str, float]]]:
    """Build the metrics of each system by condition from the report; figures that are undefined are left out."""
    return {
        condition: {name: _select_metrics(system, condition) for name, system in figures["systems"].items()}
        for condition, figures in report["conditions"].items()
    }


def _select_metrics(figures: Mapping[str, Any], condition: str) -> dict[str, float]:
    exact = figures["exact_match"]
    values = {"exact_match": exact["value"]}
    if condition == HEADLINE:
        values |= {"exact_match_low": exact["low"], "exact_match_high": exact["high"]}
        values |= {metric: figures[metric]["value"] for metric in METRICS}
    return {metric: value for metric, value in values.items() if value is not None}


def _describe_condition(evaluation: Evaluation, params: EvaluateParams) -> dict[str, Any]:
    return {
        "systems": {system: _describe_system(evaluation, system) for system in evaluation.figures},
        "reference_against": {
            system: _describe_comparison(comparison) for system, comparison in evaluation.comparisons.items()
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


def _describe_system(evaluation: Evaluation, system: str) -> dict[str, Any]:
    return {
        **_round_figures(evaluation.figures[system]),
        "errors": count_errors(evaluation, system),
        "wrong_values_by_grounding": count_wrong_groundings(evaluation, system),
        "goal_accuracy": {
            name: {"frames": frames, **_round_figures(figures)}
            for name, (frames, figures) in evaluation.goals[system].items()
        },
        "texts": _round_figures(evaluation.texts.get(system, {})),
        **describe_confidence(evaluation, system),
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
