"""Answers judged: predictions, figures by system and slice, comparisons, dialogue states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from stages.core.catalog import Skill, literal_text
from stages.core.records import Mode
from stages.core.reports import NO_SKILL
from stages.evaluate.decoding import Decoded
from stages.evaluate.judging import Kind, Verdict, judged, target_of
from stages.evaluate.metrics import Comparison, Figure, Resamples
from stages.evaluate.params import EvaluateParams, System
from stages.evaluate.slices import slices_of
from stages.evaluate.states import Frame, GoalAccuracy, goal_accuracy
from stages.evaluate.systems import Question

Row = Mapping[str, Any]


class Evaluation(NamedTuple):
    """Everything that is known of the systems."""

    rows: Sequence[Row]
    written: Sequence[int]
    """The places of the rows as written; the others are speech views of them."""
    answers: Mapping[System, Sequence[Decoded]]
    verdicts: Mapping[System, Sequence[Verdict]]
    figures: Mapping[System, Mapping[str, Figure]]
    """Over the rows as written."""
    slices: Mapping[System, Mapping[str, Mapping[str, tuple[int, Figure]]]]
    """Rows and exact match, by dimension and value."""
    comparisons: Mapping[System, Comparison]
    """Each other system against the reference, over the rows as written."""
    goals: Mapping[System, Mapping[str, GoalAccuracy]]
    """Of SGD's dialogues, by whether their service was seen in training."""
    near: Sequence[Sequence[Row]]


def evaluated(
    question: Question,
    answers: Mapping[System, Sequence[Decoded]],
    params: EvaluateParams,
    seen: frozenset[str],
) -> Evaluation:
    """Judge all answers. seen: the services that train rows have."""
    rows = question.rows
    targets = [target_of(row, tools) for row, tools in zip(rows, question.tools, strict=True)]
    verdicts = {
        system: [
            judged(said.text, said.ended, target, question.skills, question.form)
            for said, target in zip(texts, targets, strict=True)
        ]
        for system, texts in answers.items()
    }
    written = [place for place, row in enumerate(rows) if not row["speech"]]
    resamples = Resamples([row["group"] for row in rows], params.resamples, params.seed)
    slices = slices_of(rows, seen)
    return Evaluation(
        rows=rows,
        written=written,
        answers=answers,
        verdicts=verdicts,
        figures={system: resamples.figures(found, written) for system, found in verdicts.items()},
        slices={
            system: _by_slice(resamples, found, slices, set(written)) for system, found in verdicts.items()
        },
        comparisons=_comparisons(rows, written, verdicts, params),
        goals={
            system: _goals(rows, written, found, question.skills, seen) for system, found in verdicts.items()
        },
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


def prediction_rows(evaluation: Evaluation) -> list[tuple[Any, ...]]:
    """The rows of `PREDICTION_SCHEMA`: every answer of every system, by row and system."""
    found = []
    for system, verdicts in evaluation.verdicts.items():
        for row, said, verdict, near in zip(
            evaluation.rows, evaluation.answers[system], verdicts, evaluation.near, strict=True
        ):
            found.append(
                (
                    row["id"],
                    system.value,
                    verdict.kind.value,
                    row["utterance"],
                    row["messages"][-1]["content"],
                    said.text,
                    said.ended,
                    row["source"],
                    row["skill"],
                    [one["id"] for one in near],
                    row["origin"],
                )
            )
    return sorted(found, key=lambda one: (one[0], one[1]))


def asked_rows(rows: Iterable[Row], most: int | None, order: Mapping[str, float]) -> list[Row]:
    """The rows that are asked: of the view `call`, at most so many exemplars, by their order."""
    calls = [row for row in rows if row["view"] == "call"]
    names = sorted({row["exemplar_id"].partition("~")[0] for row in calls}, key=lambda name: order[name])
    kept = set(names if most is None else names[:most])
    return [row for row in calls if row["exemplar_id"].partition("~")[0] in kept]


def _by_slice(
    resamples: Resamples,
    verdicts: Sequence[Verdict],
    slices: Mapping[str, Mapping[str, Sequence[int]]],
    written: set[int],
) -> dict[str, dict[str, tuple[int, Figure]]]:
    found: dict[str, dict[str, tuple[int, Figure]]] = {}
    for dimension, values in slices.items():
        found[dimension] = {}
        for value, places in values.items():
            chosen = [row for row in places if row in written or dimension == "transcript"]
            if chosen:
                figure = resamples.figures(verdicts, chosen)["exact_match"]
                found[dimension][value] = (len(chosen), figure)
    return found


def _comparisons(
    rows: Sequence[Row],
    written: Sequence[int],
    verdicts: Mapping[System, Sequence[Verdict]],
    params: EvaluateParams,
) -> dict[System, Comparison]:
    paired = Resamples([rows[row]["group"] for row in written], params.resamples, params.seed)
    reference = [verdicts[params.reference][row] for row in written]
    return {
        system: paired.compare(reference, [found[row] for row in written])
        for system, found in verdicts.items()
        if system != params.reference
    }


def _goals(
    rows: Sequence[Row],
    written: Sequence[int],
    verdicts: Sequence[Verdict],
    skills: Mapping[str, Skill],
    seen: frozenset[str],
) -> dict[str, GoalAccuracy]:
    frames: dict[str, list[Frame]] = {"all": [], "seen": [], "unseen": []}
    for place in written:
        row = rows[place]
        if row["service"] is None or row["mode"] not in (Mode.NORMAL, Mode.EXTENDED) or row["call"] is None:
            continue
        frame = _frame(row, verdicts[place], skills)
        frames["all"].append(frame)
        frames["seen" if row["service"] in seen else "unseen"].append(frame)
    categorical: dict[str, set[str]] = {}
    for skill in skills.values():
        if skill.service is not None:
            listed = {one.name for one in skill.parameters if one.enum}
            categorical.setdefault(skill.service, set()).update(listed)
    listed_slots = {service: frozenset(slots) for service, slots in categorical.items()}
    return {name: goal_accuracy(found, listed_slots) for name, found in frames.items() if found}


def _frame(row: Row, verdict: Verdict, skills: Mapping[str, Skill]) -> Frame:
    called = skills.get(verdict.call.skill) if verdict.call is not None else None
    same = verdict.call is not None and called is not None and called.service == row["service"]
    arguments = verdict.call.arguments if same and verdict.call is not None else {}
    return Frame(
        dialogue=row["group"],
        turn=_turn(row["origin"]["locator"]),
        service=row["service"],
        right={one["slot"]: tuple(one["accepted"]) for one in row["answers"]},
        predicted={slot: (literal_text(value),) for slot, value in arguments.items()},
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
