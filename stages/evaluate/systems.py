"""The answers of all systems to the test rows, under all conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stages.evaluate.language_models import answer_by_model
from stages.evaluate.loaders import Models
from stages.evaluate.params import EvaluateParams
from stages.evaluate.replies import (
    Replies,
    Reply,
    TaggedReplies,
    answer_by_neighbors,
    answer_by_tagger,
    cascade_replies,
)
from stages.evaluate.system_names import CONSTRAINED, Kind, System
from stages.evaluate.task import Task


def collect_replies(
    systems: Mapping[str, System], tasks: Mapping[str, Task], models: Models, params: EvaluateParams
) -> Replies:
    """Collect the answers of all systems that are compared; a language model is loaded once, and dropped after use."""
    replies: dict[str, dict[str, Sequence[Reply]]] = {name: {} for name in tasks}
    for run, group in _group_by_model(systems).items():
        model, tokenizer = models.loaders[run]()
        for condition, answers in answer_by_model(group, tasks, model, tokenizer, params).items():
            replies[condition].update(answers)
        del model
    for condition, task in tasks.items():
        answers = replies[condition]
        tagged = {name: answer_by_tagger(tagger, task) for name, tagger in _list_taggers(systems, models)}
        for system in systems.values():
            if system.kind is not Kind.LANGUAGE_MODEL:
                answers[system.name] = _answer(system, task, tagged, answers)
    return {condition: {name: answers[name] for name in systems} for condition, answers in replies.items()}


def _group_by_model(systems: Mapping[str, System]) -> dict[str | None, list[System]]:
    """Group the systems that language models answer by the run; also those that a cascade asks."""
    groups: dict[str | None, dict[str, System]] = {}
    for system in systems.values():
        if system.kind is Kind.LANGUAGE_MODEL:
            groups.setdefault(system.run, {})[system.name] = system
        elif system.kind is Kind.CASCADE and system.fallback is not None:
            run = system.fallback.removesuffix(CONSTRAINED)
            asked = System(system.fallback, Kind.LANGUAGE_MODEL, run, is_constrained=True)
            groups.setdefault(run, {})[system.fallback] = asked
    return {run: list(group.values()) for run, group in groups.items()}


def _list_taggers(systems: Mapping[str, System], models: Models) -> list[tuple[str, object]]:
    names = dict.fromkeys(system.run for system in systems.values() if system.run in models.taggers)
    return [(name, models.taggers[name]) for name in names if name is not None]


def _answer(
    system: System,
    task: Task,
    tagged: Mapping[str, TaggedReplies],
    answers: Mapping[str, Sequence[Reply]],
) -> Sequence[Reply]:
    if system.kind is Kind.KNN:
        return answer_by_neighbors(task)
    assert system.run is not None  # As taggers and cascades have.
    if system.kind is Kind.TAGGER or system.fallback is None:
        return tagged[system.run].replies
    return cascade_replies(tagged[system.run], answers[system.fallback], system.run, system.fallback)
