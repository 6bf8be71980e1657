"""`reports/evaluate.json`, and the data points of the plots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stages.evaluate.evaluation import Evaluation, kinds, wrong_groundings
from stages.evaluate.judging import Kind
from stages.evaluate.metrics import Comparison, as_document
from stages.evaluate.params import EvaluateParams, System


def evaluate_report(
    evaluation: Evaluation, run: str, texts: Mapping[System, Mapping[str, float]], params: EvaluateParams
) -> dict[str, Any]:
    """The stage in numbers."""
    return {
        "run": run,
        "rows": len(evaluation.written),
        "speech_views": len(evaluation.rows) - len(evaluation.written),
        "groups": len({evaluation.rows[row]["group"] for row in evaluation.written}),
        "systems": {
            system.value: {
                **{name: as_document(one) for name, one in figures.items()},
                "errors": kinds(evaluation, system),
                "wrong_values_by_grounding": wrong_groundings(evaluation, system),
                "goal_accuracy": {
                    name: {
                        "frames": one.frames,
                        "joint": _rounded(one.joint),
                        "average": _rounded(one.average),
                    }
                    for name, one in evaluation.goals[system].items()
                },
                "texts": dict(texts.get(system, {})),
            }
            for system, figures in evaluation.figures.items()
        },
        "reference": params.reference,
        "reference_against": {
            system.value: _comparison(one) for system, one in evaluation.comparisons.items()
        },
        "slices": {
            dimension: {
                value: {"rows": rows, **as_document(figure)}
                for value, (rows, figure) in values.items()
                if rows >= params.thin_slice
            }
            for dimension, values in evaluation.slices[params.reference].items()
        },
    }


def error_rows(evaluation: Evaluation, system: System) -> list[dict[str, Any]]:
    """One object a kind of error that a system makes: how many rows."""
    return [
        {"kind": kind, "rows": rows} for kind, rows in kinds(evaluation, system).items() if kind != Kind.RIGHT
    ]


def _comparison(one: Comparison) -> dict[str, Any]:
    return {
        "difference": as_document(one.difference),
        "right_in_reference_alone": one.only_first,
        "right_in_other_alone": one.only_second,
        "mcnemar_p": round(one.p_value, 6),
        "warning": one.warning,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
