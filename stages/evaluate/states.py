"""Dialogue states: joint and average goal accuracy by the rules of the Schema-Guided Dialogue challenge.

The rules are those of `schema_guided_dst` (Rastogi et al. 2020): per frame, over the slots of its
service; a categorical slot counts 1 or 0, a free one the best fuzzy match (token sort ratio) with any
right value; joint goal accuracy is the product over all slots, average goal accuracy the mean over the
slots that the right state holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import NamedTuple

from rapidfuzz import fuzz, utils

State = Mapping[str, Sequence[str]]
"""For each slot all values that are right, or the one that is predicted."""


class Frame(NamedTuple):
    """What one turn adds to the state of a service."""

    dialogue: str
    turn: int
    service: str
    right: State
    predicted: State


class GoalAccuracy(NamedTuple):
    """Over frames; null where there is none."""

    frames: int
    joint: float | None
    average: float | None


def goal_accuracy(frames: Iterable[Frame], categorical: Mapping[str, frozenset[str]]) -> GoalAccuracy:
    """Both accuracies over frames, whose states grow turn by turn.

    categorical: the slots of each service whose values are listed.
    """
    states: dict[tuple[str, str], tuple[dict[str, Sequence[str]], dict[str, Sequence[str]]]] = {}
    joint, average = [], []
    for one in sorted(frames, key=lambda frame: (frame.dialogue, frame.turn)):
        right, predicted = states.setdefault((one.dialogue, one.service), ({}, {}))
        right.update(one.right)
        predicted.update(one.predicted)
        scores = slot_scores(right, predicted, categorical.get(one.service, frozenset()))
        joint.append(prod(scores.values()))
        active = [scores[slot] for slot in right]
        if active:
            average.append(sum(active) / len(active))
    return GoalAccuracy(len(joint), _mean(joint), _mean(average))


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


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
