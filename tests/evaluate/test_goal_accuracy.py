"""Worked examples of the published rules of goal accuracy."""

from __future__ import annotations

import pytest

from exemplars.core.bootstrap import Figure, Resamples
from stages.evaluate.goal_accuracy import (
    GOAL_METRICS,
    GoalFrame,
    GoalScore,
    build_goal_columns,
    score_goals,
    score_slots,
)

CATEGORICAL = {"Cafes_1": frozenset({"seating"})}


def test_free_slot_scores_its_best_fuzzy_match() -> None:
    scores = score_slots({"city": ("San Jose", "SJ")}, {"city": ("san  jose",)}, frozenset())
    assert scores == {"city": 1.0}
    # token_sort_ratio("half past 7", "half past 8"): 2 * 10 matching of 11 + 11 characters.
    close = score_slots({"time": ("half past 7",)}, {"time": ("half past 8",)}, frozenset())
    assert close["time"] == pytest.approx(10 / 11, abs=1e-6)


def test_word_order_does_not_count_in_free_slots() -> None:
    assert score_slots({"name": ("Anna Weber",)}, {"name": ("Weber, Anna",)}, frozenset()) == {"name": 1.0}


def test_categorical_slot_scores_one_or_nothing() -> None:
    listed = frozenset({"seating"})
    assert score_slots({"seating": ("inside",)}, {"seating": ("inside",)}, listed) == {"seating": 1.0}
    assert score_slots({"seating": ("inside",)}, {"seating": ("Inside",)}, listed) == {"seating": 0.0}


def test_slot_of_only_one_state_scores_nothing() -> None:
    assert score_slots({"a": ("x",)}, {"b": ("x",)}, frozenset()) == {"a": 0.0, "b": 0.0}


def test_states_accumulate_from_turn_to_turn() -> None:
    frames = [
        GoalFrame("d1", 2, "Cafes_1", {"seating": ("inside",)}, {"seating": ("outside",)}),
        GoalFrame("d1", 0, "Cafes_1", {"city": ("Bath",)}, {"city": ("Bath",)}),
        GoalFrame("d1", 4, "Cafes_1", {"seating": ("outside",)}, {}),
    ]
    # Turn 2: city correct, seating wrong. Turn 0: city correct. Turn 4: both correct, because the prediction
    # of turn 2 is still part of the state.
    assert score_goals(frames, CATEGORICAL) == [GoalScore(0, 0.5), GoalScore(1, 1), GoalScore(1, 1)]


def test_services_of_a_dialogue_have_states_of_their_own() -> None:
    frames = [
        GoalFrame("d1", 0, "Cafes_1", {"city": ("Bath",)}, {"city": ("Bath",)}),
        GoalFrame("d1", 0, "Taxis_1", {"city": ("York",)}, {"city": ("Hull",)}),
    ]
    wrong = score_slots({"c": ("York",)}, {"c": ("Hull",)}, frozenset())["c"]
    assert score_goals(frames, {}) == [GoalScore(1, 1), GoalScore(wrong, wrong)]


def test_an_empty_state_is_correct_and_has_no_average() -> None:
    assert score_goals([GoalFrame("d1", 0, "Cafes_1", {}, {})], CATEGORICAL) == [GoalScore(1, None)]


def test_joint_is_a_mean_over_frames_and_average_over_those_with_a_slot() -> None:
    columns = build_goal_columns(
        [(0, GoalScore(1, None)), (2, GoalScore(0, 0.5)), (3, GoalScore(0, 0.75))], 4
    )
    figures = Resamples(["d", "x", "d", "d"], 10, 1).compute_figures(columns, [0, 2, 3], GOAL_METRICS)
    assert figures["joint"].value == pytest.approx(1 / 3)
    assert figures["average"].value == 0.625


def test_accuracy_without_frames_is_undefined() -> None:
    figures = Resamples(["x"], 10, 1).compute_figures(build_goal_columns([], 1), [0], GOAL_METRICS)
    assert figures == {"joint": Figure(None, None, None), "average": Figure(None, None, None)}
