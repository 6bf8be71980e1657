"""Calls from the scores of a tagger: the skills of a turn, each with its filled slots."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from exemplars.core.records import Argument
from exemplars.dataset.catalog import Skill
from exemplars.dataset.leaves import build_arguments
from exemplars.dataset.parameters import Parameter
from exemplars.models.calls import Call
from exemplars.models.tagger.decoding import Scores
from exemplars.models.tagger.features import EncodedText
from exemplars.models.tagger.slot_filling import (
    Logits,
    SlotReading,
    decode_skill_tags,
    fill_slot,
    normalize_scores,
)
from exemplars.models.tagger.vocabulary import NO_SKILL, Vocabulary

UNCERTAIN: Final = -1e3
"""The score of a call with a value that the tagger cannot know: no threshold admits it."""
_LEAST_SHARE: Final = -float(np.log(3))
"""A skill of several has at least a third of the probability of the likeliest."""
_SAME_SERVICE: Final = 1.5
"""By how much the log-odds of a skill rise if a turn before called one of its service, tuned on validation rows."""


class TaggedCall(NamedTuple):
    """A call that a tagger makes."""

    skill: str
    arguments: tuple[Argument, ...]
    """In the order of the slots; a value from an earlier turn has no span."""
    score: float
    """The log-probability of the call, not calibrated."""
    problem: str | None = None
    """Why the call is incomplete: a value that the tagger cannot know."""


class TaggedTurn(NamedTuple):
    """What a tagger answers to an utterance."""

    calls: tuple[TaggedCall, ...]
    """The likeliest first; empty: no call."""
    score: float
    """The log-probability of all calls, not calibrated."""
    problem: str | None = None
    """Why the tagger cannot answer; the calls are then what it knows."""


def assemble_turn(
    logits: Logits,
    encoded: EncodedText,
    vocabulary: Vocabulary,
    skills: Mapping[str, Skill],
    shown: Collection[str] | None = None,
    today: datetime.date | None = None,
    service: str | None = None,
) -> TaggedTurn:
    """Assemble the best answer to a row.

    skills: the catalog by name. shown: the skills that can be called; `None`: all. today: what relative dates refer to.
    service: that of the last call before, if it has one: dialogues stay with a service more often than not.
    Skills are chosen first; tags and choices are then those of their slots. Words of the utterance take precedence over
    what is meant without words.
    """
    scores = raise_service(logits.skills, vocabulary, skills, service)
    chosen = choose_skills(_score_shown(scores, vocabulary, shown), logits.several)
    calls = tuple(
        _assemble_call(logits, encoded, vocabulary, skills, number, today) for number in chosen.numbers
    )
    problem = next((call.problem for call in calls if call.problem is not None), None)
    return TaggedTurn(calls, chosen.score + sum(call.score for call in calls), problem)


def raise_service(
    scores: Scores, vocabulary: Vocabulary, skills: Mapping[str, Skill], service: str | None
) -> Scores:
    """Raise the scores of the skills of a service."""
    if service is None:
        return scores
    is_of_service = [False, *(skills[skill.name].service == service for skill in vocabulary.skills)]
    return scores + np.where(is_of_service, _SAME_SERVICE, 0.0)


def _score_shown(scores: Scores, vocabulary: Vocabulary, shown: Collection[str] | None) -> Scores:
    """Compute the log-probabilities of "no call" and of each skill; those that are not shown have none."""
    if shown is not None:
        can_call = [True, *(skill.name in shown for skill in vocabulary.skills)]
        scores = np.where(can_call, scores, -np.inf)
    return normalize_scores(scores)


class ChosenSkills(NamedTuple):
    """The skills of a turn."""

    numbers: tuple[int, ...]
    """The likeliest first; empty: no call."""
    score: float
    """Their log-probability."""


def choose_skills(scores: Scores, several: float) -> ChosenSkills:
    """Choose no skill, one, or several.

    scores: log-probabilities of "no call" and of each skill; several skills share the probability. several: the
    log-odds of several skills.

    >>> choose_skills(np.log([0.1, 0.5, 0.4]), -5.0).numbers, choose_skills(np.log([0.1, 0.5, 0.4]), 5.0).numbers
    ((1,), (1, 2))
    """
    best = int(scores.argmax())
    alone = ChosenSkills(() if best == NO_SKILL else (best,), float(scores[best] - np.logaddexp(0, several)))
    order = sorted(range(1, len(scores)), key=lambda number: (-scores[number], number))
    shared = [number for number in order if scores[number] >= scores[order[0]] + _LEAST_SHARE]
    together = shared if len(shared) > 1 else order[:2]
    if len(together) < 2:
        return alone
    parts = sum(float(scores[number]) + np.log(len(together)) for number in together)
    score = float(parts - np.logaddexp(0, -several))
    return ChosenSkills(tuple(together), min(score, 0.0)) if score > alone.score else alone


def _assemble_call(
    logits: Logits,
    encoded: EncodedText,
    vocabulary: Vocabulary,
    skills: Mapping[str, Skill],
    number: int,
    today: datetime.date | None,
) -> TaggedCall:
    """Assemble the call of a skill; its score is that of its arguments."""
    skill = skills[vocabulary.skills[number - 1].name]
    decoded = decode_skill_tags(logits, encoded, vocabulary, number)
    starts = vocabulary.choice_starts[number]
    fillings = []
    for place, slot in enumerate(vocabulary.find_slots(number)):
        parameter = skill.find_parameter(slot.path) or Parameter(slot.path)
        scores = normalize_scores(logits.choices[starts[place] : starts[place + 1]])
        fillings.append(fill_slot(SlotReading(slot, place, parameter, scores, encoded, today), decoded))
    arguments = tuple(filling.argument for filling in fillings if filling.argument is not None)
    problems = [filling.problem for filling in fillings if filling.problem is not None]
    problems += _find_bad_paths(arguments, skill)
    score = decoded.score + sum(filling.score for filling in fillings) + (UNCERTAIN if problems else 0.0)
    return TaggedCall(skill.name, arguments, score, problems[0] if problems else None)


def make_call(tagged: TaggedCall, skill: Skill) -> Call:
    """Make a call with canonical values, as `format_calls` writes it. skill: that of the catalog.

    Raises `ValueError` if the paths of the arguments do not fit together; such a call has a problem.
    """
    leaves = ((argument.slot, argument.value) for argument in tagged.arguments)
    return Call(tagged.skill, build_arguments(leaves, skill))


def _find_bad_paths(arguments: Sequence[Argument], skill: Skill) -> list[str]:
    """Find that the paths of the arguments do not fit together: the second item of a list without the first."""
    try:
        build_arguments([(argument.slot, argument.value) for argument in arguments], skill)
    except ValueError as error:
        return [str(error)]
    return []
