"""How sure a tagger is: confidence that means what it says, and what it costs to answer more."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import msgspec

HAND_OVER: Final = 0.5
"""A call of less confidence is more likely wrong than right: a cascade asks another system, if it has one."""
_STEPS: Final = 60
_RATIO: Final = (math.sqrt(5) - 1) / 2
_BOUNDS: Final = (-5.0, 5.0)
"""Of the logarithm of the temperature."""
_TINY: Final = 1e-6


class Calibration(msgspec.Struct, frozen=True):
    """How the score of a call becomes a confidence, and how much is enough."""

    temperature: float = 1.0
    threshold: float = 0.0
    """The tagger abstains from calls of less confidence."""

    def rate(self, score: float) -> float:
        """Rate a call: the calibrated probability that all of it is right. score: its log-probability."""
        return math.exp(score / self.temperature)


def fit_temperature(scores: Sequence[float], right: Sequence[bool]) -> float:
    """Fit the temperature under which confidence best predicts what is right, by log-likelihood.

    scores: log-probabilities, at most 0. Without any row, or if all are right or all wrong, it is 1.

    >>> round(fit_temperature([math.log(0.9)] * 4, [True, True, True, False]), 2)
    0.37
    """
    if len(set(right)) < 2:
        return 1.0
    low, high = _BOUNDS
    for _ in range(_STEPS):
        first, second = high - _RATIO * (high - low), low + _RATIO * (high - low)
        if _compute_loss(scores, right, math.exp(first)) <= _compute_loss(scores, right, math.exp(second)):
            high = second
        else:
            low = first
    return math.exp((low + high) / 2)


def _compute_loss(scores: Sequence[float], right: Sequence[bool], temperature: float) -> float:
    loss = 0.0
    for score, is_right in zip(scores, right, strict=True):
        confidence = min(max(math.exp(score / temperature), _TINY), 1 - _TINY)
        loss -= math.log(confidence if is_right else 1 - confidence)
    return loss


def choose_threshold(confidences: Sequence[float], right: Sequence[bool], max_risk: float) -> float:
    """Choose the lowest confidence at and above which at most `max_risk` of the calls are wrong.

    1 if there is no such confidence: the tagger then answers only what it is certain of.

    >>> choose_threshold([0.9, 0.8, 0.7, 0.6], [True, True, False, True], 0.3)
    0.6
    >>> choose_threshold([0.9, 0.8, 0.7, 0.6], [True, True, False, True], 0.2)
    0.8
    """
    threshold, wrong, answered = 1.0, 0, 0
    ordered = sorted(zip(confidences, right, strict=True), reverse=True)
    for place, (confidence, is_right) in enumerate(ordered):
        answered, wrong = answered + 1, wrong + (not is_right)
        is_last_of_equals = place + 1 == len(ordered) or ordered[place + 1][0] < confidence
        if is_last_of_equals and wrong <= max_risk * answered:
            threshold = confidence
    return threshold


def list_risks(
    confidences: Sequence[float], right: Sequence[bool], coverages: Sequence[float]
) -> list[dict[str, float]]:
    """List the risk, the share of wrong calls, among the most confident share of the calls.

    >>> list_risks([0.9, 0.8, 0.7, 0.6], [True, True, False, True], [0.5, 1.0])
    [{'coverage': 0.5, 'risk': 0.0}, {'coverage': 1.0, 'risk': 0.25}]
    """
    ordered = [is_right for _, is_right in sorted(zip(confidences, right, strict=True), reverse=True)]
    points = []
    for coverage in coverages:
        answered = ordered[: math.ceil(coverage * len(ordered))]
        risk = answered.count(False) / len(answered) if answered else 0.0
        points.append({"coverage": coverage, "risk": round(risk, 4)})
    return points
