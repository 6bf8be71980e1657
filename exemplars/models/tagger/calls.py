"""Calls from the scores of a tagger: skills, their spans and choices, and values in their canonical form."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from exemplars.core.records import DONTCARE, Argument, Exemplar, Grounding
from exemplars.dataset.catalog import Skill
from exemplars.dataset.expressions.readings import read_value
from exemplars.dataset.expressions.words import is_value
from exemplars.dataset.leaves import build_arguments, decode_leaf, is_leaf_of
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.texts import make_equality_key
from exemplars.models.calls import Call
from exemplars.models.tagger.decoding import Scores, TaggedSpan, decode_tags, list_spans
from exemplars.models.tagger.features import SPECIAL, UTTERANCE, EncodedText
from exemplars.models.tagger.vocabulary import NO_SKILL, Choice, Slot, Vocabulary

UNCERTAIN: Final = -1e3
"""The score of a call with a value that the tagger cannot know: no threshold admits it."""


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


class Logits(NamedTuple):
    """The scores of a row."""

    skills: Scores
    """Of "no call" and each skill."""
    tags: Scores
    """Of shape (tokens, tags of all skills)."""
    choices: Scores
    """Of all choices of all slots of all skills."""


class _Filling(NamedTuple):
    """What the words and the choice of a slot come to."""

    argument: Argument | None
    problem: str | None = None


def assemble_turn(
    logits: Logits,
    encoded: EncodedText,
    vocabulary: Vocabulary,
    skills: Mapping[str, Skill],
    shown: Collection[str] | None = None,
    today: datetime.date | None = None,
) -> TaggedTurn:
    """Assemble the best answer to a row.

    skills: the catalog by name. shown: the skills that can be called; `None`: all. today: what relative dates refer to.
    The skill is chosen first; tags and choices are then those of its slots. Words of the utterance take precedence over
    what is meant without words.
    """
    skill_scores = _score_shown(logits.skills, vocabulary, shown)
    number = int(skill_scores.argmax())
    score = float(skill_scores[number])
    if number == NO_SKILL:
        return TaggedTurn((), score)
    call = _assemble_call(logits, encoded, vocabulary, skills, number, today)
    return TaggedTurn((call,), score + call.score, call.problem)


def _score_shown(scores: Scores, vocabulary: Vocabulary, shown: Collection[str] | None) -> Scores:
    """Compute the log-probabilities of "no call" and of each skill; those that are not shown have none."""
    if shown is not None:
        can_call = [True, *(skill.name in shown for skill in vocabulary.skills)]
        scores = np.where(can_call, scores, -np.inf)
    return _normalize(scores)


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
    spans, tag_score = _decode_spans(logits, encoded, vocabulary, number)
    ranked, choice_score = _choose(logits, vocabulary, number)
    fillings = [
        _fill(slot, ranked[place], [span for span in spans if span.slot == place], encoded, skill, today)
        for place, slot in enumerate(vocabulary.find_slots(number))
    ]
    arguments = tuple(filling.argument for filling in fillings if filling.argument is not None)
    problems = [filling.problem for filling in fillings if filling.problem is not None]
    problems += _find_bad_paths(arguments, skill)
    score = tag_score + choice_score + (UNCERTAIN if problems else 0.0)
    return TaggedCall(skill.name, arguments, score, problems[0] if problems else None)


def make_call(tagged: TaggedCall, skill: Skill) -> Call:
    """Make a call with canonical values, as `format_calls` writes it. skill: that of the catalog.

    Raises `ValueError` if the paths of the arguments do not fit together; such a call has a problem.
    """
    leaves = ((argument.slot, argument.value) for argument in tagged.arguments)
    return Call(tagged.skill, build_arguments(leaves, skill))


def is_right(answer: TaggedTurn, exemplars: Iterable[Exemplar], skills: Mapping[str, Skill]) -> bool:
    """Return whether an answer has the calls of the rows of its turn and no others.

    A call is right if its skill and all its arguments are, in canonical form or as said. skills: the catalog by name.
    """
    if answer.problem is not None:
        return False
    calls = list(answer.calls)
    for exemplar in exemplars:
        if exemplar.skill is None:
            continue
        skill = skills.get(exemplar.skill)
        match = next((call for call in calls if _is_right_call(call, exemplar, skill)), None)
        if match is None:
            return False
        calls.remove(match)
    return not calls


def _is_right_call(call: TaggedCall, exemplar: Exemplar, skill: Skill | None) -> bool:
    if call.problem is not None or call.skill != exemplar.skill:
        return False
    values = {argument.slot: argument.value for argument in call.arguments}
    right = {argument.slot: argument for argument in exemplar.arguments}
    return values.keys() == right.keys() and all(
        _is_accepted(value, right[slot], (skill.find_parameter(slot) if skill else None) or Parameter(slot))
        for slot, value in values.items()
    )


def _is_accepted(value: str, argument: Argument, parameter: Parameter) -> bool:
    accepted = [argument.value, *argument.accepted]
    if argument.surface is not None and not parameter.enum and parameter.type in ("string", None):
        accepted.append(argument.surface)
    leaf, key = decode_leaf(value, parameter), make_equality_key(value)
    return any(decode_leaf(text, parameter) == leaf or make_equality_key(text) == key for text in accepted)


def _decode_spans(
    logits: Logits, encoded: EncodedText, vocabulary: Vocabulary, number: int
) -> tuple[list[TaggedSpan], float]:
    """Decode the spans of a skill's slots, and the log-probability of all tags."""
    first, end = vocabulary.tag_starts[number : number + 2]
    scores = _normalize(logits.tags[:, [0, *range(first, end)]])
    tags = decode_tags(scores, encoded.turns, encoded.begins_word)
    total = sum(scores[token, tag] for token, tag in enumerate(tags) if encoded.turns[token] != SPECIAL)
    return list_spans(tags, scores, encoded), float(total)


def _choose(logits: Logits, vocabulary: Vocabulary, number: int) -> tuple[list[list[Choice]], float]:
    """Rank the choices of each slot of a skill, and return the log-probability of all best choices."""
    starts = vocabulary.choice_starts[number]
    ranked, total = [], 0.0
    for place, slot in enumerate(vocabulary.find_slots(number)):
        scores = _normalize(logits.choices[starts[place] : starts[place + 1]])
        order = sorted(range(len(scores)), key=lambda choice: (-scores[choice], choice))
        ranked.append([slot.choices[choice] for choice in order])
        total += float(scores.max())
    return ranked, total


def _fill(
    slot: Slot,
    ranked: Sequence[Choice],
    spans: Sequence[TaggedSpan],
    encoded: EncodedText,
    skill: Skill,
    today: datetime.date | None,
) -> _Filling:
    """Fill a slot by its words in the utterance, or else by its best choice. ranked: its choices, the best first."""
    choice = ranked[0]
    parameter = skill.find_parameter(slot.path) or Parameter(slot.path)
    said = next((span for span in spans if span.turn == UTTERANCE), None)
    before = next((span for span in spans if span.turn != UTTERANCE), None)
    if choice.grounding is Grounding.COMPOSED:
        return _Filling(None, f"{slot.path} is written by a model")
    if said is not None:
        listed = next((option for option in ranked if option.grounding is Grounding.CATEGORICAL), choice)
        value = _read(slot, listed, said, encoded, parameter, today)
        return _make(slot, value, said, encoded.texts[UTTERANCE], parameter, None)
    if choice.grounding is Grounding.CONTEXT:
        if before is None:
            return _Filling(None, f"no earlier turn says {slot.path}")
        value = _read(slot, Choice(None), before, encoded, parameter, today)
        return _make(slot, value, before, encoded.texts[before.turn], parameter, Grounding.CONTEXT)
    if choice.grounding is None or choice.value is None:
        return _Filling(None)
    return _Filling(Argument(slot.path, choice.value, None, None, None, choice.grounding))


def _read(
    slot: Slot,
    choice: Choice,
    span: TaggedSpan,
    encoded: EncodedText,
    parameter: Parameter,
    today: datetime.date | None,
) -> str:
    """Read the words of a span as a canonical value; as they are if nothing reads them."""
    text = encoded.texts[span.turn]
    surface = text[span.start : span.end]
    if parameter.enum:
        listed = [value for value in parameter.enum if is_value(surface, value)]
        if listed:
            return next((value for value in listed if value.casefold() == surface.casefold()), listed[0])
        if choice.grounding is Grounding.CATEGORICAL and choice.value is not None:
            return choice.value
    if alias := slot.aliases.get(surface.casefold()):
        return alias
    read = None if slot.kind is None else read_value(text, span.start, span.end, slot.kind, today)
    return read or surface


def _make(
    slot: Slot,
    value: str,
    span: TaggedSpan,
    text: str,
    parameter: Parameter,
    grounding: Grounding | None,
) -> _Filling:
    """Make the argument of a span, if its parameter accepts the value. grounding: `None`: of the utterance."""
    surface = text[span.start : span.end]
    is_listed = not parameter.enum or value in parameter.enum or value == DONTCARE
    if not is_listed or not is_leaf_of(decode_leaf(value, parameter), parameter):
        return _Filling(None, f"{slot.path} does not accept {surface!r}")
    if grounding is not None:
        return _Filling(Argument(slot.path, value, None, None, None, grounding))
    if value == surface:
        said = Grounding.VERBATIM
    elif value.casefold() == surface.casefold():
        said = Grounding.CASE
    else:
        said = Grounding.RECOGNIZED if parameter.recognizer else Grounding.NORMALIZED
    return _Filling(Argument(slot.path, value, surface, span.start, span.end, said))


def _find_bad_paths(arguments: Sequence[Argument], skill: Skill) -> list[str]:
    """Find that the paths of the arguments do not fit together: the second item of a list without the first."""
    try:
        build_arguments([(argument.slot, argument.value) for argument in arguments], skill)
    except ValueError as error:
        return [str(error)]
    return []


def _normalize(scores: Any) -> Scores:
    """Normalize scores to log-probabilities, along the last axis."""
    scores = np.asarray(scores, dtype=np.float64)
    scores = scores - scores.max(axis=-1, keepdims=True)
    normalized: Scores = scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))
    return normalized
