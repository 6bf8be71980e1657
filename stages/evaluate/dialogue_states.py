"""The states of dialogues, from the rows that are frames of them and the calls that systems predict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from exemplars.core.literals import format_literal
from exemplars.core.records import Mode
from exemplars.dataset.catalog import Skill
from exemplars.models.rows import TrainingRow
from stages.evaluate.goal_accuracy import GOAL_METRICS, GoalFrame, build_goal_columns, score_goals
from stages.evaluate.metrics import Columns, Figure, Resamples
from stages.evaluate.scoring import Score


def score_dialogue_states(
    rows: Sequence[TrainingRow],
    places: Sequence[int],
    scores: Sequence[Score],
    skills: Mapping[str, Skill],
) -> dict[str, NDArray[np.float64]]:
    """Score the states of dialogues: the columns that `GOAL_METRICS` need.

    places: of the rows as written. A state consists of those rows among them that belong to a service, call
    something, and show their tool. scores: of all rows.
    """
    frame_places = [place for place in places if _is_frame(rows[place])]
    frames = [_build_frame(rows[place], scores[place], skills) for place in frame_places]
    goal_scores = score_goals(frames, _find_categorical_slots(skills))
    return build_goal_columns(dict(zip(frame_places, goal_scores, strict=True)), len(rows))


def compute_goal_figures(
    resamples: Resamples, rows: Sequence[TrainingRow], columns: Columns, seen_services: frozenset[str]
) -> dict[str, tuple[int, dict[str, Figure]]]:
    """Compute goal accuracy over all frames, and over those of seen and unseen services.

    Returns the number of frames and the figures of each part that is not empty.
    """
    frames = [int(place) for place in columns["goal_frames"].nonzero()[0]]
    parts = {
        "all": frames,
        "seen": [place for place in frames if rows[place].service in seen_services],
        "unseen": [place for place in frames if rows[place].service not in seen_services],
    }
    return {
        name: (len(places), resamples.compute_figures(columns, places, GOAL_METRICS))
        for name, places in parts.items()
        if places
    }


def _is_frame(row: TrainingRow) -> bool:
    called = row.mode in (Mode.NORMAL, Mode.EXTENDED) and row.call is not None
    return row.service is not None and called


def _find_categorical_slots(skills: Mapping[str, Skill]) -> dict[str, frozenset[str]]:
    """Find the slots of each service whose values are listed."""
    categorical: dict[str, frozenset[str]] = {}
    for skill in skills.values():
        if skill.service is not None:
            slots = {parameter.name for parameter in skill.parameters if parameter.enum}
            categorical[skill.service] = categorical.get(skill.service, frozenset()) | slots
    return categorical


def _build_frame(row: TrainingRow, score: Score, skills: Mapping[str, Skill]) -> GoalFrame:
    """Build a frame; a predicted call of a different service adds nothing to the state."""
    skill = skills.get(score.call.skill) if score.call is not None else None
    same_service = skill is not None and skill.service == row.service
    arguments = score.call.arguments if same_service and score.call is not None else {}
    assert row.service is not None  # As `_is_frame` demands.
    return GoalFrame(
        dialogue=row.group,
        turn=_parse_turn(row.origin.locator),
        service=row.service,
        expected={answer.slot: answer.accepted for answer in row.answers},
        predicted={slot: (format_literal(value),) for slot, value in arguments.items()},
    )


def _parse_turn(locator: str) -> int:
    """Parse the number of the turn in a JSON Pointer such as `/3/turns/4/frames/0`; 0 if it has none."""
    parts = locator.split("/")
    return int(parts[parts.index("turns") + 1]) if "turns" in parts else 0
