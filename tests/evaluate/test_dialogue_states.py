"""States of dialogues whose turns call several services."""

from __future__ import annotations

import numpy as np
import pytest

from exemplars.core.bootstrap import Resamples
from exemplars.core.records import Origin
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.models.calls import CallFormat
from exemplars.models.rows import Answer, TargetCall
from exemplars.models.scoring import build_expected_answer, score_prediction
from stages.evaluate.dialogue_states import compute_goal_figures, score_dialogue_states
from tests.chat_rows import make_training_row

SKILLS = {
    skill.name: skill
    for skill in (
        Skill("FindCafe", service="Cafes_1", parameters=(Parameter("city"),)),
        Skill("FindFerry", service="Ferries_1", parameters=(Parameter("to"),)),
        Skill("stop"),
    )
}


def call(skill: str, slot: str, value: str) -> TargetCall:
    return TargetCall(skill, (Answer(slot, value, (value,), "verbatim"),))


FIRST = make_training_row(
    services=("Cafes_1",),
    calls=(call("FindCafe", "city", "Oslo"),),
    origin=Origin("d.json", "0" * 64, "/0/turns/0/frames/0"),
)
BOTH = make_training_row(
    services=("Cafes_1", "Ferries_1"),
    calls=(call("FindCafe", "city", "Rome"), call("FindFerry", "to", "Kiel")),
    origin=Origin("d.json", "0" * 64, "/0/turns/2/frames/0"),
)
STOP = make_training_row()


@pytest.mark.parametrize(
    ("text", "joint"),
    [
        ('[FindFerry(to="Kiel"), FindCafe(city="Rome")]', 2),
        ('[FindCafe(city="Rome"), FindFerry(to="Bonn")]', 1),
        ('FindFerry(to="Kiel")', 1),
        ("None", 0),
    ],
)
def test_a_turn_is_a_frame_of_each_service_that_it_calls(text: str, joint: int) -> None:
    rows = [FIRST, BOTH, STOP]
    scores = [
        score_prediction(
            answer, True, build_expected_answer(row, list(SKILLS.values())), SKILLS, CallFormat.PYTHON
        )
        for row, answer in zip(rows, ('FindCafe(city="Oslo")', text, "stop()"), strict=True)
    ]
    columns = score_dialogue_states(rows, [0, 1, 2], scores, SKILLS)
    assert columns["goal_frames"].tolist() == [1, 2, 0]
    # A wrong free value has a partial score.
    assert np.floor(columns["goal_joint"]).tolist() == [1, joint, 0]


def test_a_row_is_seen_if_all_its_services_are() -> None:
    rows = [FIRST, BOTH]
    scores = [
        score_prediction(
            row.messages[-1].content, True, build_expected_answer(row, []), SKILLS, CallFormat.PYTHON
        )
        for row in rows
    ]
    columns = score_dialogue_states(rows, [0, 1], scores, SKILLS)
    figures = compute_goal_figures(Resamples(["g", "g"], 10, 1), rows, columns, frozenset({"Cafes_1"}))
    assert {name: frames for name, (frames, _) in figures.items()} == {"all": 3, "seen": 1, "unseen": 2}
