"""Predictions as rows and counts: the table of all answers, errors, and the confusion of skills."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from exemplars.core.conditions import Condition
from exemplars.core.reports import NO_SKILL, count_sorted
from exemplars.models.rows import Prediction, list_tool_names
from exemplars.models.scoring import ErrorKind, Score
from stages.evaluate.evaluation import Evaluation

MALFORMED_SKILL = "(malformed)"
"""The predicted skill of a malformed call in the plot of confusion."""


def list_predictions(evaluations: Mapping[Condition, Evaluation]) -> list[Prediction]:
    """List every answer of every system under every condition, sorted by row, condition and system."""
    predictions = [
        Prediction(
            id=row.id,
            exemplar_ids=row.exemplar_ids,
            condition=evaluation.task.condition.value,
            system=system,
            kind=score.kind.value,
            utterance=row.utterance,
            right=row.messages[-1].content,
            predicted=reply.text,
            ended=reply.ended,
            source=row.source,
            skill=next(iter(row.skills), None),
            nearest=tuple(neighbor.id for neighbor in nearest),
            shown=tuple(list_tool_names(row)),
            confidence=reply.confidence,
            answered_by=reply.answered_by,
            origin=row.origin,
        )
        for evaluation in evaluations.values()
        for system, scores in evaluation.scores.items()
        for row, reply, score, nearest in zip(
            evaluation.task.rows, evaluation.replies[system], scores, evaluation.task.neighbors, strict=True
        )
    ]
    return sorted(
        predictions, key=lambda prediction: (prediction.id, prediction.condition, prediction.system)
    )


def count_errors(evaluation: Evaluation, system: str) -> dict[str, int]:
    """Count the rows as written with each kind of error, in the order of `ErrorKind`; `right` is among them."""
    scores = evaluation.scores[system]
    counts = Counter(scores[row].kind for row in evaluation.written)
    return {kind.value: counts[kind] for kind in ErrorKind if counts[kind]}


def count_wrong_groundings(evaluation: Evaluation, system: str) -> dict[str, int]:
    """Count the values that a system gets wrong or leaves out, by their grounding."""
    scores = evaluation.scores[system]
    return count_sorted(grounding for row in evaluation.written for grounding in scores[row].wrong_groundings)


def list_confusions(evaluation: Evaluation, system: str) -> list[dict[str, Any]]:
    """List the expected and the predicted skill of each row as written, for the plot of confusion."""
    rows, scores = evaluation.task.rows, evaluation.scores[system]
    return [
        {
            "actual": next((call.skill for call in rows[row].calls), NO_SKILL),
            "predicted": _name_predicted(scores[row]),
        }
        for row in evaluation.written
    ]


def list_error_counts(evaluation: Evaluation, system: str) -> list[dict[str, Any]]:
    """List the kinds of errors that a system makes, each with its number of rows, for the plot of errors."""
    counts = count_errors(evaluation, system)
    return [{"kind": kind, "rows": rows} for kind, rows in counts.items() if kind != ErrorKind.RIGHT]


def _name_predicted(score: Score) -> str:
    if score.calls:
        return score.calls[0].skill
    return NO_SKILL if score.none_predicted else MALFORMED_SKILL
