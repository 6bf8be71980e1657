"""How well a tagger knows what it knows, and who answers in a cascade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from exemplars.core.conditions import HEADLINE
from exemplars.models.tagger.calibration import list_risks
from stages.evaluate.evaluation import Evaluation

_COVERAGES: Final = tuple(share / 20 for share in range(1, 21))


def describe_confidence(evaluation: Evaluation, system: str) -> dict[str, Any]:
    """Describe the confidence of a tagger, or the parts of a cascade, over the rows as written; of others, nothing.

    `risks`: the share of wrong answers among the most confident share of the rows. `parts`: of each system that
    answers in a cascade, the number and share of rows, and its exact match on them.
    """
    replies = [evaluation.replies[system][row] for row in evaluation.written]
    right = [bool(evaluation.scores[system][row].exact) for row in evaluation.written]
    if any(reply.answered_by for reply in replies):
        return {"parts": _describe_parts([reply.answered_by for reply in replies], right)}
    confidences = [reply.confidence for reply in replies if reply.confidence is not None]
    if not confidences:
        return {}
    return {"risks": list_risks(confidences, right, _COVERAGES)}


def list_risk_points(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """List the points of the risk-coverage curves under `HEADLINE`, for the plot."""
    return [
        {"system": name, **point}
        for name, system in report["conditions"][HEADLINE]["systems"].items()
        for point in system.get("risks", ())
    ]


def _describe_parts(answered_by: Sequence[str | None], right: Sequence[bool]) -> dict[str, Any]:
    parts = {}
    for name in sorted({part for part in answered_by if part is not None}):
        exact = [is_right for part, is_right in zip(answered_by, right, strict=True) if part == name]
        share = round(len(exact) / len(right), 4)
        parts[name] = {"rows": len(exact), "share": share, "exact_match": round(float(np.mean(exact)), 4)}
    return parts
