"""The evaluation of all systems: scores, figures by system and slice, comparisons, goal accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from exemplars.core.bootstrap import Columns, Figure, Metric, Resamples, SystemComparison
from exemplars.models.scoring import Score, build_expected_answer, score_prediction
from stages.evaluate.dialogue_states import compute_goal_figures, score_dialogue_states
from stages.evaluate.goal_accuracy import GOAL_METRICS
from stages.evaluate.metrics import CALL_METRICS, build_count_columns
from stages.evaluate.params import EvaluateParams
from stages.evaluate.replies import Reply
from stages.evaluate.slices import group_by_slice
from stages.evaluate.task import Task
from stages.evaluate.text_metrics import TEXT_METRICS

_SLICE_METRICS: Final = {"exact_match": CALL_METRICS["exact_match"]}


class Evaluation(NamedTuple):
    """Everything that is known about the systems under a condition."""

    task: Task
    written: Sequence[int]
    """The places of the rows as written; the others are speech views of them."""
    replies: Mapping[str, Sequence[Reply]]
    scores: Mapping[str, Sequence[Score]]
    figures: Mapping[str, Mapping[str, Figure]]
    """Metrics of calls, over the rows as written."""
    texts: Mapping[str, Mapping[str, Figure]]
    """Metrics of texts; empty if they are not requested."""
    slices: Mapping[str, Mapping[str, Mapping[str, tuple[int, Figure]]]]
    """The number of rows and exact match, by dimension and value."""
    comparisons: Mapping[str, SystemComparison]
    """The reference against each other system, over the rows as written."""
    goals: Mapping[str, Mapping[str, tuple[int, Mapping[str, Figure]]]]
    """The number of frames and goal accuracy, of all services and of those seen and unseen in training."""


def evaluate_systems(
    task: Task,
    replies: Mapping[str, Sequence[Reply]],
    params: EvaluateParams,
    texts: Mapping[str, Columns],
) -> Evaluation:
    """Score all answers, and compute figures, slices and comparisons.

    texts: `compute_text_columns` of each system, or empty.
    """
    rows, seen_services = task.rows, task.seen_services
    written = [place for place, row in enumerate(rows) if not row.speech]
    scores = {system: score_replies(task, answers) for system, answers in replies.items()}
    columns = {
        system: {
            **build_count_columns(system_scores),
            **score_dialogue_states(rows, written, system_scores, task.skills),
            **texts.get(system, {}),
        }
        for system, system_scores in scores.items()
    }
    resamples = Resamples([row.group for row in rows], params.resamples, params.seed)
    slices = group_by_slice(rows, seen_services, task.condition)
    return Evaluation(
        task=task,
        written=written,
        replies=replies,
        scores=scores,
        figures={
            system: resamples.compute_figures(system_columns, written, CALL_METRICS)
            for system, system_columns in columns.items()
        },
        texts={system: resamples.compute_figures(columns[system], written, TEXT_METRICS) for system in texts},
        slices=_compute_slices(resamples, columns, slices, set(written)),
        comparisons=_compare_systems(resamples, columns, written, params.reference, bool(texts)),
        goals={
            system: compute_goal_figures(resamples, rows, system_columns, seen_services)
            for system, system_columns in columns.items()
        },
    )


def score_replies(task: Task, replies: Sequence[Reply]) -> list[Score]:
    """Score the answers of a system to all rows of a task."""
    return [
        score_prediction(
            reply.text,
            reply.ended,
            build_expected_answer(row, task.list_callable(place)),
            task.skills,
            task.style.call_format,
        )
        for place, (row, reply) in enumerate(zip(task.rows, replies, strict=True))
    ]


def _compare_systems(
    resamples: Resamples,
    columns: Mapping[str, Columns],
    written: Sequence[int],
    reference: str,
    has_texts: bool,
) -> dict[str, SystemComparison]:
    """Compare the reference with each other system."""
    metrics: dict[str, Metric] = {**CALL_METRICS}
    metrics |= {f"goal_{name}": metric for name, metric in GOAL_METRICS.items()}
    if has_texts:
        metrics |= TEXT_METRICS
    return {
        system: resamples.compare(columns[reference], other, written, metrics)
        for system, other in columns.items()
        if system != reference
    }


def _compute_slices(
    resamples: Resamples,
    columns: Mapping[str, Columns],
    slices: Mapping[str, Mapping[str, Sequence[int]]],
    written: set[int],
) -> dict[str, dict[str, dict[str, tuple[int, Figure]]]]:
    """Compute exact match for each slice; speech views count only in the dimension `transcript`."""
    figures: dict[str, dict[str, dict[str, tuple[int, Figure]]]] = {}
    for system, system_columns in columns.items():
        figures[system] = {dimension: {} for dimension in slices}
        for dimension, values in slices.items():
            for value, places in values.items():
                rows = [row for row in places if row in written or dimension == "transcript"]
                if rows:
                    exact = resamples.compute_figures(system_columns, rows, _SLICE_METRICS)["exact_match"]
                    figures[system][dimension][value] = (len(rows), exact)
    return figures
