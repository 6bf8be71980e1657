"""Dialogue states: joint and average goal accuracy by the rules of the Schema-Guided Dialogue challenge.

The rules are those of `schema_guided_dst` (Rastogi et al. 2020): per frame, over the slots of its
service; a categorical slot counts 1 or 0, a free one the best fuzzy match (token sort ratio) with any
right value; joint goal accuracy is the product over all slots, average goal accuracy the mean over the
slots that the right state holds. A dialogue's states are made of the frames that are asked: those that
are drawn and proved, call something, and show their tool.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, utils

from stages.evaluate.metrics import Metric, ratio

State = Mapping[str, Sequence[str]]
"""For each slot all values that are right, or the one that is predicted."""


class Frame(NamedTuple):
    """What one turn adds to the state of a service."""

    dialogue: str
    turn: int
    service: str
    right: State
    predicted: State


class GoalScore(NamedTuple):
    """How right the state is at a frame."""

    joint: float
    average: float | None
    """Null where the right state holds no slot."""


GOAL_METRICS: Final[dict[str, Metric]] = {
    "joint": lambda one: ratio(one["goal_joint"], one["goal_frames"]),
    "average": lambda one: ratio(one["goal_average"], one["goal_averaged"]),
}
"""Figures of goal scores."""


def goal_scores(frames: Sequence[Frame], categorical: Mapping[str, frozenset[str]]) -> list[GoalScore]:
    """The scores at each frame, in their order; states grow turn by turn.

    categorical: the slots of each service whose values are listed.
    """
    states: dict[tuple[str, str], tuple[dict[str, Sequence[str]], dict[str, Sequence[str]]]] = {}
    found = {}
    for place in sorted(range(len(frames)), key=lambda one: (frames[one].dialogue, frames[one].turn)):
        one = frames[place]
        right, predicted = states.setdefault((one.dialogue, one.service), ({}, {}))
        right.update(one.right)
        predicted.update(one.predicted)
        scores = slot_scores(right, predicted, categorical.get(one.service, frozenset()))
        active = [scores[slot] for slot in right]
        found[place] = GoalScore(prod(scores.values()), sum(active) / len(active) if active else None)
    return [found[place] for place in range(len(frames))]


def goal_columns(scores: Mapping[int, GoalScore], rows: int) -> dict[str, NDArray[np.float64]]:
    """What `GOAL_METRICS` need. scores: by the place of their row, of so many rows."""
    columns = {
        name: np.zeros(rows) for name in ("goal_frames", "goal_joint", "goal_averaged", "goal_average")
    }
    for place, one in scores.items():
        columns["goal_frames"][place] = 1
        columns["goal_joint"][place] = one.joint
        if one.average is not None:
            columns["goal_averaged"][place] = 1
            columns["goal_average"][place] = one.average
    return columns


def slot_scores(right: State, predicted: State, categorical: frozenset[str]) -> dict[str, float]:
    """The score of each slot that either state holds; of slots in neither it is 1, and left out."""
    return {
        slot: _score(right[slot], predicted[slot][0], slot in categorical)
        if slot in right and slot in predicted
        else 0.0
        for slot in sorted({*right, *predicted})
    }


def _score(right: Sequence[str], predicted: str, categorical: bool) -> float:
    if categorical:
        return float(predicted in right)
    return max(
        fuzz.token_sort_ratio(one, predicted, processor=utils.default_process) / 100
        if utils.default_process(one) or utils.default_process(predicted)
        else float(one == predicted)
        for one in right
    )
