"""The time that a training has left."""

from __future__ import annotations

import time

import pytest

from stages.train.remaining_time import StepClock


def test_the_time_left_is_said_once_after_the_third_step_without_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moments = iter([100.0, 104.0])  # The first step took 100 seconds, the next two 2 each.
    monkeypatch.setattr(time, "monotonic", lambda: next(moments))
    clock = StepClock()
    assert [clock.note_step(150 - step) for step in range(1, 6)] == [
        None,
        None,
        "about 5 minutes left",
        None,
        None,
    ]


def test_a_training_of_three_steps_has_nothing_left() -> None:
    clock = StepClock()
    assert [clock.note_step(left) for left in (2, 1, 0)] == [None, None, None]
