"""Joint and average goal accuracy, by the rules of the Schema-Guided Dialogue challenge (DSTC8).

The rules are those of `schema_guided_dst` (Rastogi et al. 2020): for each frame, over the slots of its
service, a categorical slot scores 1 or 0, and a free one the best fuzzy match (token sort ratio) with any
correct value. Joint goal accuracy is the product over all slots; average goal accuracy is the mean over the
slots of the correct state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, utils

from exemplars.core.bootstrap import Metric, divide_or_nan

DialogueState = Mapping[str, Sequence[str]]
"""For each slot all values that are correct, or the predicted one."""


class GoalFrame(NamedTuple):
    """What one turn adds to the state of a service."""

    dialogue: str
    turn: int
    service: str
    expected: DialogueState
    predicted: DialogueState


class GoalScore(NamedTuple):
    """How correct the state is after a frame."""

    joint: float
    average: float | None
    """`None` if the correct state has no slot."""


GOAL_METRICS: Final[dict[str, Metric]] = {
    "joint": lambda sums: divide_or_nan(sums["goal_joint"], sums["goal_frames"]),
    "average": lambda sums: divide_or_nan(sums["goal_average"], sums["goal_averaged"]),
}
"""The metrics of goal scores, by their names in reports."""


def score_goals(frames: Sequence[GoalFrame], categorical: Mapping[str, frozenset[str]]) -> list[GoalScore]:
    """Score the state after each frame; states accumulate from turn to turn.

    categorical: the slots of each service whose values are listed. Returns one score for each frame, in the
    order given.
    """
    states: dict[tuple[str, str], tuple[dict[str, Sequence[str]], dict[str, Sequence[str]]]] = {}
    scores = {}
    for place in sorted(range(len(frames)), key=lambda place: (frames[place].dialogue, frames[place].turn)):
        frame = frames[place]
        expected, predicted = states.setdefault((frame.dialogue, frame.service), ({}, {}))
        expected.update(frame.expected)
        predicted.update(frame.predicted)
        by_slot = score_slots(expected, predicted, categorical.get(frame.service, frozenset()))
        active = [by_slot[slot] for slot in expected]
        average = sum(active) / len(active) if active else None
        scores[place] = GoalScore(prod(by_slot.values()), average)
    return [scores[place] for place in range(len(frames))]


def build_goal_columns(scores: Iterable[tuple[int, GoalScore]], rows: int) -> dict[str, NDArray[np.float64]]:
    """Build the columns that `GOAL_METRICS` need.

    scores: each after the place of its row, which may have several. rows: the number of all rows; those without a
    score count as 0.
    """
    names = ("goal_frames", "goal_joint", "goal_averaged", "goal_average")
    columns = {name: np.zeros(rows) for name in names}
    for place, score in scores:
        columns["goal_frames"][place] += 1
        columns["goal_joint"][place] += score.joint
        if score.average is not None:
            columns["goal_averaged"][place] += 1
            columns["goal_average"][place] += score.average
    return columns


def score_slots(
    expected: DialogueState, predicted: DialogueState, categorical: frozenset[str]
) -> dict[str, float]:
    """Score each slot that either state has, from 0 to 1.

    A slot of only one of the states scores 0.

    >>> score_slots({"city": ["San Jose", "SJ"], "day": ["today"]}, {"city": ["san jose"]}, frozenset())
    {'city': 1.0, 'day': 0.0}
    """
    return {
        slot: _score_value(expected[slot], predicted[slot][0], slot in categorical)
        if slot in expected and slot in predicted
        else 0.0
        for slot in sorted({*expected, *predicted})
    }


def _score_value(expected: Sequence[str], predicted: str, categorical: bool) -> float:
    if categorical:
        return float(predicted in expected)
    return max(
        fuzz.token_sort_ratio(value, predicted, processor=utils.default_process) / 100
        if utils.default_process(value) or utils.default_process(predicted)
        else float(value == predicted)
        for value in expected
    )
