"""`reports/evaluate.json`, and the data points of the plots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exemplars.core.digests import hash_split
from stages.evaluate.evaluation import Evaluation, kinds, wrong_groundings
from stages.evaluate.metrics import Comparison, Figure, as_document
from stages.evaluate.params import EvaluateParams, System
from stages.evaluate.scoring import Kind


def evaluate_report(evaluation: Evaluation, run: str, params: EvaluateParams) -> dict[str, Any]:
    """The stage in numbers."""
    return {
        "run": run,
        "rows": len(evaluation.written),
        "data_hash": hash_split(sorted({evaluation.rows[row]["digest"] for row in evaluation.written})),
        "speech_views": len(evaluation.rows) - len(evaluation.written),
        "groups": len({evaluation.rows[row]["group"] for row in evaluation.written}),
        "systems": {
            system.value: {
                **_documents(figures),
                "errors": kinds(evaluation, system),
                "wrong_values_by_grounding": wrong_groundings(evaluation, system),
                "goal_accuracy": {
                    name: {"frames": frames, **_documents(found)}
                    for name, (frames, found) in evaluation.goals[system].items()
                },
                "texts": _documents(evaluation.texts.get(system, {})),
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
        "differences": _documents(one.differences),
        "right_in_reference_alone": one.only_first,
        "right_in_other_alone": one.only_second,
        "mcnemar_p": round(one.p_value, 6),
        "warning": one.warning,
    }


def _documents(figures: Mapping[str, Figure]) -> dict[str, dict[str, float | None]]:
    return {name: as_document(one) for name, one in figures.items()}
