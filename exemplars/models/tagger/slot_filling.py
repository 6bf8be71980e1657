"""Slots of a tagger's call, filled by words of the utterance, of earlier turns, or by what is meant without words."""

from __future__ import annotations

import datetime
from typing import Any, Final, NamedTuple

import numpy as np

from exemplars.core.records import DONTCARE, Argument, Grounding
from exemplars.dataset.expressions.readings import READABLE, read_value
from exemplars.dataset.expressions.words import is_value
from exemplars.dataset.leaves import decode_leaf, is_leaf_of
from exemplars.dataset.parameters import Parameter
from exemplars.models.tagger.decoding import Scores, TaggedSpan, decode_tags, list_spans
from exemplars.models.tagger.earlier_turns import find_evidence
from exemplars.models.tagger.features import SPECIAL, UTTERANCE, EncodedText
from exemplars.models.tagger.vocabulary import MOMENT, OUTSIDE, Choice, Slot, Vocabulary
from exemplars.models.tagger.whole_spans import expand_to_expression, expand_to_name, trim_span

_CATEGORICAL: Final = Grounding.CATEGORICAL
_MOMENTS: Final = ("time", "date")
_WORDS: Final = 1.0
"""By how much the log-odds rise that a word fills a slot: on validation rows, tags left out more than they added."""
_DOUBT: Final = 0.25
"""How much it counts that the tags of an earlier turn speak against its words."""


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


class Filling(NamedTuple):
    """What the words and the choice of a slot come to."""

    argument: Argument | None
    score: float
    """The log-probability of the choice."""
    problem: str | None = None


class DecodedTags(NamedTuple):
    """The tags of a text as a skill reads it."""

    scores: Scores
    """Log-probabilities, of shape (tokens, tags)."""
    tags: list[int]
    spans: list[TaggedSpan]
    score: float
    """The log-probability of the tags."""


def decode_skill_tags(
    logits: Logits, encoded: EncodedText, vocabulary: Vocabulary, number: int
) -> DecodedTags:
    """Decode the tags of a skill's slots."""
    first, end = vocabulary.tag_starts[number : number + 2]
    scores = np.array(logits.tags[:, [0, *range(first, end)]], dtype=np.float64)
    scores[:, OUTSIDE] -= _WORDS
    scores = normalize_scores(scores)
    tags = decode_tags(scores, encoded.turns, encoded.begins_word)
    total = sum(scores[token, tag] for token, tag in enumerate(tags) if encoded.turns[token] != SPECIAL)
    return DecodedTags(scores, tags, list_spans(tags, scores, encoded), float(total))


class SlotReading(NamedTuple):
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


def fill_slot(reading: SlotReading, decoded: DecodedTags) -> Filling:
    """Fill a slot by its words in the utterance, or else by what is meant without them."""
    slot, parameter = reading.slot, reading.parameter
    choice, score = reading.rank()
    if choice.grounding is Grounding.COMPOSED:
        return Filling(None, score, f"{slot.path} is written by a model")
    said = next(
        (span for span in decoded.spans if span.slot == reading.place and span.turn == UTTERANCE), None
    )
    if said is not None:
        said = _take_whole(reading, said)
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
        return Filling(None, score)
    return Filling(Argument(slot.path, choice.value, None, None, None, choice.grounding), score)


def _fill_from_before(reading: SlotReading, decoded: DecodedTags, without: float) -> Filling | None:
    """Fill a slot by words of an earlier turn, if words and choice together are likelier than without them.

    without: the log-probability of the best other choice.
    """
    evidence = find_evidence(decoded.scores, decoded.tags, reading.encoded, reading.place)
    if evidence is None:
        return None
    place = reading.slot.choices.index(Choice(Grounding.CONTEXT))
    score = float(reading.scores[place])
    if score + evidence.gain * (1.0 if evidence.gain > 0 else _DOUBT) <= without:
        return None
    span = _take_whole(reading, evidence.span)
    value = _read(reading, span, None)
    text = reading.encoded.texts[span.turn]
    is_tagged = decoded.tags.count(1 + 2 * reading.place) > 0
    score += 0.0 if is_tagged else min(0.0, evidence.gain)
    filling = _make(reading.slot, value, span, text, reading.parameter, Grounding.CONTEXT, score)
    return None if filling.problem is not None else filling


def _take_whole(reading: SlotReading, span: TaggedSpan) -> TaggedSpan:
    """Take the whole value that a span is part of; a name of an earlier turn is taken whole as well."""
    text = reading.encoded.texts[span.turn]
    whole = expand_to_expression(text, trim_span(text, (span.start, span.end)), reading.slot.kind)
    if span.turn != UTTERANCE and reading.slot.kind not in READABLE:
        whole = expand_to_name(text, whole)
    return span._replace(start=whole[0], end=whole[1])


def _read(reading: SlotReading, span: TaggedSpan, meant: str | None) -> str:
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
) -> Filling:
    """Make the argument of a span, if its parameter accepts the value. grounding: `None`: of the utterance."""
    surface = text[span.start : span.end]
    is_listed = not parameter.enum or value in parameter.enum or value == DONTCARE
    if not is_listed or not is_leaf_of(decode_leaf(value, parameter), parameter):
        return Filling(None, score, f"{slot.path} does not accept {surface!r}")
    if grounding is not None:
        return Filling(Argument(slot.path, value, None, None, None, grounding), score)
    if value == surface:
        said = Grounding.VERBATIM
    elif value.casefold() == surface.casefold():
        said = Grounding.CASE
    else:
        said = Grounding.RECOGNIZED if parameter.recognizer else Grounding.NORMALIZED
    return Filling(Argument(slot.path, value, surface, span.start, span.end, said), score)


def normalize_scores(scores: Any) -> Scores:
    """Normalize scores to log-probabilities, along the last axis."""
    scores = np.asarray(scores, dtype=np.float64)
    scores = scores - scores.max(axis=-1, keepdims=True)
    normalized: Scores = scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))
    return normalized
