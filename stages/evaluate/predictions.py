"""Predictions as rows and counts: the table of all answers, errors, and the confusion of skills."""

from __future__ import annotations

from collections import Counter
from typing import Any

from exemplars.core.reports import NO_SKILL, count_sorted
from exemplars.models.rows import Prediction
from stages.evaluate.evaluation import Evaluation
from stages.evaluate.params import System
from stages.evaluate.scoring import ErrorKind, Score

MALFORMED_SKILL = "(malformed)"
"""The predicted skill of a malformed call in the plot of confusion."""


def list_predictions(evaluation: Evaluation) -> list[Prediction]:
    """List every answer of every system, sorted by row and system."""
    predictions = [
        Prediction(
            id=row.id,
            exemplar_ids=row.exemplar_ids,
            system=system.value,
            kind=score.kind.value,
            utterance=row.utterance,
            right=row.messages[-1].content,
            predicted=completion.text,
            ended=completion.ended,
            source=row.source,
            skill=next(iter(row.skills), None),
            nearest=tuple(neighbor.id for neighbor in nearest),
            origin=row.origin,
        )
        for system, scores in evaluation.scores.items()
        for row, completion, score, nearest in zip(
            evaluation.rows, evaluation.answers[system], scores, evaluation.neighbors, strict=True
        )
    ]
    return sorted(predictions, key=lambda prediction: (prediction.id, prediction.system))


def count_errors(evaluation: Evaluation, system: System) -> dict[str, int]:
    """Count the rows as written with each kind of error, in the order of `ErrorKind`; `right` is among them."""
    scores = evaluation.scores[system]
    counts = Counter(scores[row].kind for row in evaluation.written)
    return {kind.value: counts[kind] for kind in ErrorKind if counts[kind]}


def count_wrong_groundings(evaluation: Evaluation, system: System) -> dict[str, int]:
    """Count the values that a system gets wrong or leaves out, by their grounding."""
    scores = evaluation.scores[system]
    return count_sorted(grounding for row in evaluation.written for grounding in scores[row].wrong_groundings)


def list_confusions(evaluation: Evaluation, system: System) -> list[dict[str, Any]]:
    """List the expected and the predicted skill of each row as written, for the plot of confusion."""
    rows, scores = evaluation.rows, evaluation.scores[system]
    return [
        {
            "actual": next((call.skill for call in rows[row].calls), NO_SKILL),
            "predicted": _name_predicted(scores[row]),
        }
        for row in evaluation.written
    ]


def list_error_counts(evaluation: Evaluation, system: System) -> list[dict[str, Any]]:
    """List the kinds of errors that a system makes, each with its number of rows, for the plot of errors."""
    counts = count_errors(evaluation, system)
    return [{"kind": kind, "rows": rows} for kind, rows in counts.items() if kind != ErrorKind.RIGHT]


def _name_predicted(score: Score) -> str:
    if score.calls:
        return score.calls[0].skill
    return NO_SKILL if score.none_predicted else MALFORMED_SKILL
