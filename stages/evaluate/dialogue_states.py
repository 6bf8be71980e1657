"""The states of dialogues, from the rows that are frames of them and the calls that systems predict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from exemplars.core.bootstrap import Columns, Figure, Resamples
from exemplars.core.literals import format_literal
from exemplars.core.slot_paths import flatten_arguments
from exemplars.dataset.catalog import Skill
from exemplars.models.rows import TrainingRow
from exemplars.models.scoring import Score
from stages.evaluate.goal_accuracy import GOAL_METRICS, GoalFrame, build_goal_columns, score_goals


def score_dialogue_states(
    rows: Sequence[TrainingRow],
    places: Sequence[int],
    scores: Sequence[Score],
    skills: Mapping[str, Skill],
) -> dict[str, NDArray[np.float64]]:
    """Score the states of dialogues: the columns that `GOAL_METRICS` need.

    places: of the rows as written. A state consists of the calls in them whose skill belongs to a service; each
    service that a row calls is a frame. scores: of all rows.
    """
    frames: list[GoalFrame] = []
    frame_places: list[int] = []
    for place in places:
        for frame in _build_frames(rows[place], scores[place], skills):
            frames.append(frame)
            frame_places.append(place)
    goal_scores = score_goals(frames, _find_categorical_slots(skills))
    return build_goal_columns(list(zip(frame_places, goal_scores, strict=True)), len(rows))


def compute_goal_figures(
    resamples: Resamples, rows: Sequence[TrainingRow], columns: Columns, seen_services: frozenset[str]
) -> dict[str, tuple[int, dict[str, Figure]]]:
    """Compute goal accuracy over all frames, and over those of rows with only seen services and of the others.

    Returns the number of frames and the figures of each part that is not empty.
    """
    places = [int(place) for place in columns["goal_frames"].nonzero()[0]]
    parts = {
        "all": places,
        "seen": [place for place in places if seen_services.issuperset(rows[place].services)],
        "unseen": [place for place in places if not seen_services.issuperset(rows[place].services)],
    }
    return {
        name: (
            int(columns["goal_frames"][part].sum()),
            resamples.compute_figures(columns, part, GOAL_METRICS),
        )
        for name, part in parts.items()
        if part
    }


def _find_categorical_slots(skills: Mapping[str, Skill]) -> dict[str, frozenset[str]]:
    """Find the slots of each service whose values are listed."""
    categorical: dict[str, frozenset[str]] = {}
    for skill in skills.values():
        if skill.service is not None:
            slots = {parameter.name for parameter in skill.parameters if parameter.enum}
            categorical[skill.service] = categorical.get(skill.service, frozenset()) | slots
    return categorical


def _build_frames(row: TrainingRow, score: Score, skills: Mapping[str, Skill]) -> Iterator[GoalFrame]:
    """Build a frame for each service that a row calls; predicted calls of other services add nothing to the state."""
    expected: dict[str, dict[str, tuple[str, ...]]] = {}
    for target in row.calls:
        skill = skills.get(target.skill)
        if skill is not None and skill.service is not None:
            answers = {answer.slot: answer.accepted for answer in target.answers}
            expected.setdefault(skill.service, {}).update(answers)
    predicted: dict[str | None, dict[str, tuple[str, ...]]] = {}
    for call in score.calls:
        skill = skills.get(call.skill)
        values = {path: (format_literal(leaf),) for path, leaf in flatten_arguments(call.arguments)}
        predicted.setdefault(None if skill is None else skill.service, {}).update(values)
    for service, state in expected.items():
        turn = _parse_turn(row.origin.locator)
        yield GoalFrame(row.group, turn, service, state, predicted.get(service, {}))


def _parse_turn(locator: str) -> int:
    """Parse the number of the turn in a JSON Pointer such as `/3/turns/4/frames/0`; 0 if it has none."""
    parts = locator.split("/")
    return int(parts[parts.index("turns") + 1]) if "turns" in parts else 0
