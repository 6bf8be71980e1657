"""Answers judged: predictions, figures by system and slice, comparisons, dialogue states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from exemplars.core.literals import format_literal
from exemplars.core.records import Mode, Origin
from exemplars.core.reports import NO_SKILL
from exemplars.dataset.catalog import Skill
from exemplars.models.rows import Prediction
from stages.evaluate.decoding import Decoded
from stages.evaluate.goal_accuracy import GOAL_METRICS, Frame, goal_columns, goal_scores
from stages.evaluate.metrics import CALL_METRICS, Columns, Comparison, Figure, Resamples, count_columns
from stages.evaluate.params import EvaluateParams, System
from stages.evaluate.scoring import Kind, Verdict, judged, target_of
from stages.evaluate.slices import slices_of
from stages.evaluate.systems import Question
from stages.evaluate.text_metrics import TEXT_METRICS

Row = Mapping[str, Any]
_SLICED: Final = {"exact_match": CALL_METRICS["exact_match"]}


class Evaluation(NamedTuple):
    """Everything that is known of the systems."""

    rows: Sequence[Row]
    written: Sequence[int]
    """The places of the rows as written; the others are speech views of them."""
    answers: Mapping[System, Sequence[Decoded]]
    verdicts: Mapping[System, Sequence[Verdict]]
    figures: Mapping[System, Mapping[str, Figure]]
    """Of calls, over the rows as written."""
    texts: Mapping[System, Mapping[str, Figure]]
    """How alike the texts are; of no system where it is not asked for."""
    slices: Mapping[System, Mapping[str, Mapping[str, tuple[int, Figure]]]]
    """Rows and exact match, by dimension and value."""
    comparisons: Mapping[System, Comparison]
    """Each other system against the reference, over the rows as written."""
    goals: Mapping[System, Mapping[str, tuple[int, Mapping[str, Figure]]]]
    """Frames of SGD's dialogues and figures of their states, by whether their service was seen in training."""
    near: Sequence[Sequence[Row]]


def evaluated(
    question: Question,
    answers: Mapping[System, Sequence[Decoded]],
    params: EvaluateParams,
    seen: frozenset[str],
    texts: Mapping[System, Columns],
) -> Evaluation:
    """Judge all answers.

    seen: the services that train rows have. texts: `text_columns` of each system, or of none.
    """
    rows = question.rows
    targets = [target_of(row, tools) for row, tools in zip(rows, question.tools, strict=True)]
    verdicts = {
        system: [
            judged(one.text, one.ended, target, question.skills, question.form)
            for one, target in zip(said, targets, strict=True)
        ]
        for system, said in answers.items()
    }
    written = [place for place, row in enumerate(rows) if not row["speech"]]
    columns = {
        system: {
            **count_columns(found),
            **_goal_columns(rows, written, found, question.skills),
            **texts.get(system, {}),
        }
        for system, found in verdicts.items()
    }
    metrics = {**CALL_METRICS, **{f"goal_{name}": metric for name, metric in GOAL_METRICS.items()}}
    if texts:
        metrics |= TEXT_METRICS
    resamples = Resamples([row["group"] for row in rows], params.resamples, params.seed)
    slices = slices_of(rows, seen)
    return Evaluation(
        rows=rows,
        written=written,
        answers=answers,
        verdicts=verdicts,
        figures={
            system: resamples.figures(found, written, CALL_METRICS) for system, found in columns.items()
        },
        texts={system: resamples.figures(columns[system], written, TEXT_METRICS) for system in texts},
        slices={
            system: _by_slice(resamples, found, slices, set(written)) for system, found in columns.items()
        },
        comparisons={
            system: resamples.compare(columns[params.reference], found, written, metrics)
            for system, found in columns.items()
            if system != params.reference
        },
        goals={system: _goals(resamples, rows, found, seen) for system, found in columns.items()},
        near=question.near,
    )


def wrong_groundings(evaluation: Evaluation, system: System) -> dict[str, int]:
    """How the values are grounded that a system has wrong, or leaves out."""
    found = evaluation.verdicts[system]
    return dict(
        sorted(Counter(one for row in evaluation.written for one in found[row].wrong_groundings).items())
    )


def kinds(evaluation: Evaluation, system: System) -> dict[str, int]:
    """How many rows have which error."""
    found = evaluation.verdicts[system]
    counts = Counter(found[row].kind for row in evaluation.written)
    return {kind.value: counts[kind] for kind in Kind if counts[kind]}


def confusion(evaluation: Evaluation, system: System) -> list[dict[str, str]]:
    """The right and the predicted skill of each row as written, for the plot of confusion."""
    rows, found = evaluation.rows, evaluation.verdicts[system]
    return [
        {"actual": rows[row]["call"] or NO_SKILL, "predicted": _predicted(found[row])}
        for row in evaluation.written
    ]


def prediction_rows(evaluation: Evaluation) -> list[Prediction]:
    """Every answer of every system, sorted by row and system."""
    found = []
    for system, verdicts in evaluation.verdicts.items():
        for row, said, verdict, near in zip(
            evaluation.rows, evaluation.answers[system], verdicts, evaluation.near, strict=True
        ):
            found.append(
                Prediction(
                    id=row["id"],
                    system=system.value,
                    kind=verdict.kind.value,
                    utterance=row["utterance"],
                    right=row["messages"][-1]["content"],
                    predicted=said.text,
                    ended=said.ended,
                    source=row["source"],
                    skill=row["skill"],
                    nearest=tuple(one["id"] for one in near),
                    origin=Origin(**row["origin"]),
                )
            )
    return sorted(found, key=lambda prediction: (prediction.id, prediction.system))


def asked_rows(rows: Iterable[Row], most: int | None, order: Mapping[str, float]) -> list[Row]:
    """The rows that are asked: of the view `call`, at most so many exemplars, by their order."""
    calls = [row for row in rows if row["view"] == "call"]
    names = sorted({row["exemplar_id"].partition("~")[0] for row in calls}, key=lambda name: order[name])
    kept = set(names if most is None else names[:most])
    return [row for row in calls if row["exemplar_id"].partition("~")[0] in kept]


def _by_slice(
    resamples: Resamples,
    columns: Columns,
    slices: Mapping[str, Mapping[str, Sequence[int]]],
    written: set[int],
) -> dict[str, dict[str, tuple[int, Figure]]]:
    found: dict[str, dict[str, tuple[int, Figure]]] = {}
    for dimension, values in slices.items():
        found[dimension] = {}
        for value, places in values.items():
            chosen = [row for row in places if row in written or dimension == "transcript"]
            if chosen:
                figures = resamples.figures(columns, chosen, _SLICED)
                found[dimension][value] = (len(chosen), figures["exact_match"])
    return found


def _goals(
    resamples: Resamples, rows: Sequence[Row], columns: Columns, seen: frozenset[str]
) -> dict[str, tuple[int, dict[str, Figure]]]:
    frames = [int(place) for place in columns["goal_frames"].nonzero()[0]]
    parts = {
        "all": frames,
        "seen": [place for place in frames if rows[place]["service"] in seen],
        "unseen": [place for place in frames if rows[place]["service"] not in seen],
    }
    return {
        name: (len(found), resamples.figures(columns, found, GOAL_METRICS))
        for name, found in parts.items()
        if found
    }


def _goal_columns(
    rows: Sequence[Row], written: Sequence[int], verdicts: Sequence[Verdict], skills: Mapping[str, Skill]
) -> dict[str, NDArray[np.float64]]:
    """The scores of the states, at the rows as written that are frames of dialogues and call something."""
    places = [
        place
        for place in written
        if rows[place]["service"] is not None
        and rows[place]["mode"] in (Mode.NORMAL, Mode.EXTENDED)
        and rows[place]["call"] is not None
    ]
    frames = [_frame(rows[place], verdicts[place], skills) for place in places]
    listed: dict[str, frozenset[str]] = {}
    for skill in skills.values():
        if skill.service is not None:
            slots = {one.name for one in skill.parameters if one.enum}
            listed[skill.service] = listed.get(skill.service, frozenset()) | slots
    return goal_columns(dict(zip(places, goal_scores(frames, listed), strict=True)), len(rows))


def _frame(row: Row, verdict: Verdict, skills: Mapping[str, Skill]) -> Frame:
    called = skills.get(verdict.call.skill) if verdict.call is not None else None
    same = verdict.call is not None and called is not None and called.service == row["service"]
    arguments = verdict.call.arguments if same and verdict.call is not None else {}
    return Frame(
        dialogue=row["group"],
        turn=_turn(row["origin"]["locator"]),
        service=row["service"],
        right={one["slot"]: tuple(one["accepted"]) for one in row["answers"]},
        predicted={slot: (format_literal(value),) for slot, value in arguments.items()},
    )


def _turn(locator: str) -> int:
    """The number of the turn in a JSON Pointer such as `/3/turns/4/frames/0`; 0 where it has none."""
    parts = locator.split("/")
    return int(parts[parts.index("turns") + 1]) if "turns" in parts else 0


def _predicted(verdict: Verdict) -> str:
    if verdict.call is not None:
        return verdict.call.skill
    return NO_SKILL if verdict.none_predicted else "(malformed)"


def shown_tools(row: Row) -> list[str]:
    """The names of the tools that a row's prompt shows."""
    return [one["function"]["name"] for one in msgspec.json.decode(row["tools"])]
