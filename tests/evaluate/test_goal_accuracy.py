"""Worked examples of the published rules of goal accuracy."""

from __future__ import annotations

import pytest

from stages.evaluate.goal_accuracy import (
    GOAL_METRICS,
    Frame,
    GoalScore,
    goal_columns,
    goal_scores,
    slot_scores,
)
from stages.evaluate.metrics import Figure, Resamples

CATEGORICAL = {"Cafes_1": frozenset({"seating"})}


def test_free_slot_counts_its_best_fuzzy_match() -> None:
    scores = slot_scores({"city": ("San Jose", "SJ")}, {"city": ("san  jose",)}, frozenset())
    assert scores == {"city": 1.0}
    # token_sort_ratio("half past 7", "half past 8"): 2 * 10 matching of 11 + 11 characters.
    close = slot_scores({"time": ("half past 7",)}, {"time": ("half past 8",)}, frozenset())
    assert close["time"] == pytest.approx(10 / 11, abs=1e-6)


def test_word_order_does_not_count_in_free_slots() -> None:
    assert slot_scores({"name": ("Anna Weber",)}, {"name": ("Weber, Anna",)}, frozenset()) == {"name": 1.0}


def test_categorical_slot_counts_one_or_nothing() -> None:
    listed = frozenset({"seating"})
    assert slot_scores({"seating": ("inside",)}, {"seating": ("inside",)}, listed) == {"seating": 1.0}
    assert slot_scores({"seating": ("inside",)}, {"seating": ("Inside",)}, listed) == {"seating": 0.0}


def test_slot_of_one_state_alone_counts_nothing() -> None:
    assert slot_scores({"a": ("x",)}, {"b": ("x",)}, frozenset()) == {"a": 0.0, "b": 0.0}


def test_states_grow_turn_by_turn() -> None:
    frames = [
        Frame("d1", 2, "Cafes_1", {"seating": ("inside",)}, {"seating": ("outside",)}),
        Frame("d1", 0, "Cafes_1", {"city": ("Bath",)}, {"city": ("Bath",)}),
        Frame("d1", 4, "Cafes_1", {"seating": ("outside",)}, {}),
    ]
    # Turn 2: city right, seating wrong. Turn 0: city right. Turn 4: both right, for what was predicted
    # at 2 still stands.
    assert goal_scores(frames, CATEGORICAL) == [GoalScore(0, 0.5), GoalScore(1, 1), GoalScore(1, 1)]


def test_services_of_a_dialogue_have_states_of_their_own() -> None:
    frames = [
        Frame("d1", 0, "Cafes_1", {"city": ("Bath",)}, {"city": ("Bath",)}),
        Frame("d1", 0, "Taxis_1", {"city": ("York",)}, {"city": ("Hull",)}),
    ]
    wrong = slot_scores({"c": ("York",)}, {"c": ("Hull",)}, frozenset())["c"]
    assert goal_scores(frames, {}) == [GoalScore(1, 1), GoalScore(wrong, wrong)]


def test_frame_in_which_nothing_is_right_or_said_is_right_and_has_no_average() -> None:
    assert goal_scores([Frame("d1", 0, "Cafes_1", {}, {})], CATEGORICAL) == [GoalScore(1, None)]


def test_accuracies_are_means_over_frames_and_over_those_whose_state_holds_a_slot() -> None:
    columns = goal_columns({0: GoalScore(1, None), 2: GoalScore(0, 0.5), 3: GoalScore(0, 0.75)}, 4)
    found = Resamples(["d", "x", "d", "d"], 10, 1).figures(columns, [0, 2, 3], GOAL_METRICS)
    assert found["joint"].value == pytest.approx(1 / 3)
    assert found["average"].value == 0.625


def test_no_frame_no_accuracy() -> None:
    found = Resamples(["x"], 10, 1).figures(goal_columns({}, 1), [0], GOAL_METRICS)
    assert found == {"joint": Figure(None, None, None), "average": Figure(None, None, None)}
