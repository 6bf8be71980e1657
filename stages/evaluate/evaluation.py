"""The evaluation of all systems: scores, figures by system and slice, comparisons, goal accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from exemplars.core.bootstrap import Columns, Figure, Metric, Resamples, SystemComparison
from exemplars.models.decoding import Completion
from exemplars.models.rows import TrainingRow
from stages.evaluate.dialogue_states import compute_goal_figures, score_dialogue_states
from stages.evaluate.goal_accuracy import GOAL_METRICS
from stages.evaluate.metrics import CALL_METRICS, build_count_columns
from stages.evaluate.params import EvaluateParams, System
from stages.evaluate.question import Question
from stages.evaluate.scoring import Score, build_expected_answer, score_prediction
from stages.evaluate.slices import group_by_slice
from stages.evaluate.text_metrics import TEXT_METRICS

_SLICE_METRICS: Final = {"exact_match": CALL_METRICS["exact_match"]}


class Evaluation(NamedTuple):
    """Everything that is known about the systems."""

    rows: Sequence[TrainingRow]
    neighbors: Sequence[Sequence[TrainingRow]]
    """The nearest train rows of each row."""
    written: Sequence[int]
    """The places of the rows as written; the others are speech views of them."""
    answers: Mapping[System, Sequence[Completion]]
    scores: Mapping[System, Sequence[Score]]
    figures: Mapping[System, Mapping[str, Figure]]
    """Metrics of calls, over the rows as written."""
    texts: Mapping[System, Mapping[str, Figure]]
    """Metrics of texts; empty if they are not requested."""
    slices: Mapping[System, Mapping[str, Mapping[str, tuple[int, Figure]]]]
    """The number of rows and exact match, by dimension and value."""
    comparisons: Mapping[System, SystemComparison]
    """The reference against each other system, over the rows as written."""
    goals: Mapping[System, Mapping[str, tuple[int, Mapping[str, Figure]]]]
    """The number of frames and goal accuracy, of all services and of those seen and unseen in training."""


def evaluate_systems(
    question: Question,
    answers: Mapping[System, Sequence[Completion]],
    params: EvaluateParams,
    texts: Mapping[System, Columns],
) -> Evaluation:
    """Score all answers, and compute figures, slices and comparisons.

    texts: `compute_text_columns` of each system, or empty.
    """
    rows, seen_services = question.rows, question.seen_services
    written = [place for place, row in enumerate(rows) if not row.speech]
    scores = {system: _score_answers(question, completions) for system, completions in answers.items()}
    columns = {
        system: {
            **build_count_columns(system_scores),
            **score_dialogue_states(rows, written, system_scores, question.skills),
            **texts.get(system, {}),
        }
        for system, system_scores in scores.items()
    }
    resamples = Resamples([row.group for row in rows], params.resamples, params.seed)
    return Evaluation(
        rows=rows,
        neighbors=question.neighbors,
        written=written,
        answers=answers,
        scores=scores,
        figures={
            system: resamples.compute_figures(system_columns, written, CALL_METRICS)
            for system, system_columns in columns.items()
        },
        texts={system: resamples.compute_figures(columns[system], written, TEXT_METRICS) for system in texts},
        slices=_compute_slices(resamples, columns, group_by_slice(rows, seen_services), set(written)),
        comparisons=_compare_systems(resamples, columns, written, params.reference, bool(texts)),
        goals={
            system: compute_goal_figures(resamples, rows, system_columns, seen_services)
            for system, system_columns in columns.items()
        },
    )


def _score_answers(question: Question, completions: Sequence[Completion]) -> list[Score]:
    expected = [
        build_expected_answer(row, tools) for row, tools in zip(question.rows, question.tools, strict=True)
    ]
    return [
        score_prediction(completion.text, completion.ended, target, question.skills, question.form)
        for completion, target in zip(completions, expected, strict=True)
    ]


def _compare_systems(
    resamples: Resamples,
    columns: Mapping[System, Columns],
    written: Sequence[int],
    reference: System,
    has_texts: bool,
) -> dict[System, SystemComparison]:
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
    columns: Mapping[System, Columns],
    slices: Mapping[str, Mapping[str, Sequence[int]]],
    written: set[int],
) -> dict[System, dict[str, dict[str, tuple[int, Figure]]]]:
    """Compute exact match for each slice; speech views count only in the dimension `transcript`."""
    figures: dict[System, dict[str, dict[str, tuple[int, Figure]]]] = {}
    for system, system_columns in columns.items():
        figures[system] = {dimension: {} for dimension in slices}
        for dimension, values in slices.items():
            for value, places in values.items():
                rows = [row for row in places if row in written or dimension == "transcript"]
                if rows:
                    exact = resamples.compute_figures(system_columns, rows, _SLICE_METRICS)["exact_match"]
                    figures[system][dimension][value] = (len(rows), exact)
    return figures
