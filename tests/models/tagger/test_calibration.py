"""Temperature, threshold and risk."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.models.tagger.calibration import Calibration, choose_threshold, fit_temperature, list_risks

CALLS = st.lists(st.tuples(st.floats(-20, -1e-3), st.booleans()), min_size=1, max_size=30)


def test_a_confidence_is_the_share_of_right_calls() -> None:
    right = [True] * 6 + [False] * 4
    temperature = fit_temperature([math.log(0.95)] * 10, right)
    assert Calibration(temperature).rate(math.log(0.95)) == pytest.approx(0.6, abs=1e-3)


@pytest.mark.parametrize("right", [[], [True, True], [False, False]])
def test_rows_that_are_all_right_or_all_wrong_calibrate_nothing(right: list[bool]) -> None:
    assert fit_temperature([-0.5] * len(right), right) == 1.0


@given(CALLS, st.floats(0, 0.9))
def test_the_threshold_admits_no_more_than_the_risk(calls: list[tuple[float, bool]], max_risk: float) -> None:
    confidences = [math.exp(score) for score, _ in calls]
    right = [is_right for _, is_right in calls]
    threshold = choose_threshold(confidences, right, max_risk)
    answered = [good for good, sure in zip(right, confidences, strict=True) if sure >= threshold]
    assert answered.count(False) <= max_risk * len(answered)


def test_without_a_good_threshold_only_certainty_is_answered() -> None:
    assert choose_threshold([0.9, 0.8], [False, False], 0.1) == 1.0
    assert choose_threshold([], [], 0.1) == 1.0


def test_risk_grows_with_coverage_if_confidence_is_worth_something() -> None:
    assert list_risks([0.9, 0.7, 0.8, 0.6], [True, False, True, False], [0.0, 0.5, 0.75, 1.0]) == [
        {"coverage": 0.0, "risk": 0.0},
        {"coverage": 0.5, "risk": 0.0},
        {"coverage": 0.75, "risk": 0.3333},
        {"coverage": 1.0, "risk": 0.5},
    ]
