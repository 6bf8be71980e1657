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
from exemplars.models.tagger.earlier_turns import find_evidence
from exemplars.models.tagger.features import SPECIAL, UTTERANCE, EncodedText
from exemplars.models.tagger.vocabulary import MOMENT, NO_SKILL, Choice, Slot, Vocabulary

UNCERTAIN: Final = -1e3
"""The score of a call with a value that the tagger cannot know: no threshold admits it."""
_LEAST_SHARE: Final = -float(np.log(3))
"""A skill of several has at least a third of the probability of the likeliest."""
_CATEGORICAL: Final = Grounding.CATEGORICAL
_MOMENTS: Final = ("time", "date")


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
    several: float
    """That several skills are called, as log-odds."""
    tags: Scores
    """Of shape (tokens, tags of all skills)."""
    choices: Scores
    """Of all choices of all slots of all skills."""


class _Filling(NamedTuple):
    """What the words and the choice of a slot come to."""

    argument: Argument | None
    score: float
    """The log-probability of the choice."""
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
    Skills are chosen first; tags and choices are then those of their slots. Words of the utterance take precedence over
    what is meant without words.
    """
    chosen = choose_skills(_score_shown(logits.skills, vocabulary, shown), logits.several)
    calls = tuple(
        _assemble_call(logits, encoded, vocabulary, skills, number, today) for number in chosen.numbers
    )
    problem = next((call.problem for call in calls if call.problem is not None), None)
    return TaggedTurn(calls, chosen.score + sum(call.score for call in calls), problem)


def _score_shown(scores: Scores, vocabulary: Vocabulary, shown: Collection[str] | None) -> Scores:
    """Compute the log-probabilities of "no call" and of each skill; those that are not shown have none."""
    if shown is not None:
        can_call = [True, *(skill.name in shown for skill in vocabulary.skills)]
        scores = np.where(can_call, scores, -np.inf)
    return _normalize(scores)


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
    decoded = _decode_tags(logits, encoded, vocabulary, number)
    starts = vocabulary.choice_starts[number]
    fillings = []
    for place, slot in enumerate(vocabulary.find_slots(number)):
        parameter = skill.find_parameter(slot.path) or Parameter(slot.path)
        scores = _normalize(logits.choices[starts[place] : starts[place + 1]])
        fillings.append(_fill(_SlotReading(slot, place, parameter, scores, encoded, today), decoded))
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


class _Decoded(NamedTuple):
    """The tags of a text as a skill reads it."""

    scores: Scores
    """Log-probabilities, of shape (tokens, tags)."""
    tags: list[int]
    spans: list[TaggedSpan]
    score: float
    """The log-probability of the tags."""


def _decode_tags(logits: Logits, encoded: EncodedText, vocabulary: Vocabulary, number: int) -> _Decoded:
    """Decode the tags of a skill's slots."""
    first, end = vocabulary.tag_starts[number : number + 2]
    scores = _normalize(logits.tags[:, [0, *range(first, end)]])
    tags = decode_tags(scores, encoded.turns, encoded.begins_word)
    total = sum(scores[token, tag] for token, tag in enumerate(tags) if encoded.turns[token] != SPECIAL)
    return _Decoded(scores, tags, list_spans(tags, scores, encoded), float(total))


class _SlotReading(NamedTuple):
    """A slot, and what there is to read."""

    slot: Slot
    place: int
    parameter: Parameter
    scores: Scores
    """Log-probabilities of its choices."""
    encoded: EncodedText
    today: datetime.date | None

    def rank(self, *without: Grounding) -> tuple[Choice, float]:
        """Return the best choice without those of some groundings, and its log-probability."""
        places = [place for place, choice in enumerate(self.slot.choices) if choice.grounding not in without]
        best = max(places, key=lambda place: (self.scores[place], -place))
        return self.slot.choices[best], float(self.scores[best])


def _fill(reading: _SlotReading, decoded: _Decoded) -> _Filling:
    """Fill a slot by its words in the utterance, or else by what is meant without them."""
    slot, parameter = reading.slot, reading.parameter
    choice, score = reading.rank()
    if choice.grounding is Grounding.COMPOSED:
        return _Filling(None, score, f"{slot.path} is written by a model")
    said = next(
        (span for span in decoded.spans if span.slot == reading.place and span.turn == UTTERANCE), None
    )
    if said is not None:
        listed = [place for place, option in enumerate(slot.choices) if option.grounding is _CATEGORICAL]
        meant = max(listed, key=lambda place: reading.scores[place], default=None)
        value = _read(reading, said, None if meant is None else slot.choices[meant].value)
        return _make(slot, value, said, reading.encoded.texts[UTTERANCE], parameter, None, score)
    if any(option.grounding is Grounding.CONTEXT for option in slot.choices):
        choice, score = reading.rank(Grounding.CONTEXT, Grounding.COMPOSED)
        filling = _fill_from_before(reading, decoded, score)
        if filling is not None:
            return filling
    if choice.grounding is None or choice.value is None:
        return _Filling(None, score)
    return _Filling(Argument(slot.path, choice.value, None, None, None, choice.grounding), score)


def _fill_from_before(reading: _SlotReading, decoded: _Decoded, without: float) -> _Filling | None:
    """Fill a slot by words of an earlier turn, if words and choice together are likelier than without them.

    without: the log-probability of the best other choice.
    """
    evidence = find_evidence(decoded.scores, decoded.tags, reading.encoded, reading.place)
    if evidence is None:
        return None
    place = reading.slot.choices.index(Choice(Grounding.CONTEXT))
    score = float(reading.scores[place])
    if score + evidence.gain <= without:
        return None
    span = evidence.span
    value = _read(reading, span, None)
    text = reading.encoded.texts[span.turn]
    is_tagged = decoded.tags.count(1 + 2 * reading.place) > 0
    score += 0.0 if is_tagged else min(0.0, evidence.gain)
    filling = _make(reading.slot, value, span, text, reading.parameter, Grounding.CONTEXT, score)
    return None if filling.problem is not None else filling


def _read(reading: _SlotReading, span: TaggedSpan, meant: str | None) -> str:
    """Read the words of a span as a canonical value; as they are if nothing reads them.

    meant: the likeliest value of an enumeration, for words that are not a value themselves.
    """
    text, slot = reading.encoded.texts[span.turn], reading.slot
    surface = text[span.start : span.end]
    if reading.parameter.enum:
        listed = [value for value in reading.parameter.enum if is_value(surface, value)]
        if listed:
            return next((value for value in listed if value.casefold() == surface.casefold()), listed[0])
        if meant is not None:
            return meant
    if alias := slot.aliases.get(surface.casefold()):
        return alias
    for kind in _MOMENTS if slot.kind == MOMENT else [slot.kind] if slot.kind else []:
        read = read_value(text, span.start, span.end, kind, reading.today)
        if read is not None:
            return read
    return surface


def _make(
    slot: Slot,
    value: str,
    span: TaggedSpan,
    text: str,
    parameter: Parameter,
    grounding: Grounding | None,
    score: float,
) -> _Filling:
    """Make the argument of a span, if its parameter accepts the value. grounding: `None`: of the utterance."""
    surface = text[span.start : span.end]
    is_listed = not parameter.enum or value in parameter.enum or value == DONTCARE
    if not is_listed or not is_leaf_of(decode_leaf(value, parameter), parameter):
        return _Filling(None, score, f"{slot.path} does not accept {surface!r}")
    if grounding is not None:
        return _Filling(Argument(slot.path, value, None, None, None, grounding), score)
    if value == surface:
        said = Grounding.VERBATIM
    elif value.casefold() == surface.casefold():
        said = Grounding.CASE
    else:
        said = Grounding.RECOGNIZED if parameter.recognizer else Grounding.NORMALIZED
    return _Filling(Argument(slot.path, value, surface, span.start, span.end, said), score)


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
