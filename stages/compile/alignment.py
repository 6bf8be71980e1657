"""Which argument stands where: one record's arguments placed in its utterance, all together."""

from __future__ import annotations

import datetime
from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import NamedTuple

from exemplars.core.errors import quote_text
from exemplars.core.records import DONTCARE, Argument, Grounding, LabelledArgument, Reason, Turn
from exemplars.dataset.catalog import Parameter
from stages.compile.grounding import Lexicon, Place, locate, stands_in


class Problem(NamedTuple):
    """Why an argument cannot be placed."""

    reason: Reason
    slot: str
    message: str


class Text(NamedTuple):
    """Where values are looked for."""

    utterance: str
    context: tuple[Turn, ...]
    today: datetime.date | None
    lexicon: Lexicon
    settled: bool = False
    """The source's template says where the values stand: what it leaves out is not in the utterance."""


class _Taken:
    """Spans that are settled, by their starts; they never overlap."""

    def __init__(self) -> None:
        self._spans: list[tuple[int, int]] = []

    def is_free(self, place: Place) -> bool:
        index = bisect_left(self._spans, (place.end, -1))
        return index == 0 or self._spans[index - 1][1] <= place.start

    def take(self, place: Place) -> None:
        insort(self._spans, (place.start, place.end))


def place_arguments(
    labels: Sequence[LabelledArgument], parameters: Sequence[Parameter], text: Text
) -> tuple[tuple[Argument, ...], tuple[Problem, ...]]:
    """The arguments tied to the text, in the order of their labels, or all that is wrong.

    labels, parameters: of equal length; each label with the parameter that it fills.
    Spans that the source gives come first. Then every value with one free place takes it, which may
    leave one place free for another. What still has several is ambiguous: the first match is never
    taken on trust.
    """
    taken = _Taken()
    placed: dict[int, Argument] = {}
    problems: list[Problem] = []
    open_places: dict[int, tuple[Place, ...]] = {}
    for index, label in enumerate(labels):
        if label.start is not None or label.end is not None:
            given = _given_place(label, text.utterance)
            if isinstance(given, Problem):
                problems.append(given)
            elif not taken.is_free(given):
                problems.append(_overlap(label, given, text.utterance))
            else:
                taken.take(given)
                placed[index] = _located(label, given, text.utterance)
    for index, (label, parameter) in enumerate(zip(labels, parameters, strict=True)):
        if label.start is None and label.end is None:
            found = _search(label, parameter, text)
            if isinstance(found, Problem):
                problems.append(found)
            elif isinstance(found, Grounding):
                placed[index] = Argument(label.slot, label.value, None, None, None, found)
            else:
                open_places[index] = found
    problems += _settle(open_places, labels, parameters, text, taken, placed)
    return tuple(placed[index] for index in sorted(placed)), tuple(problems)


def _search(
    label: LabelledArgument, parameter: Parameter, text: Text
) -> tuple[Place, ...] | Grounding | Problem:
    """The places of a value in the utterance; or how else it is grounded; or why it is not."""
    if label.value == DONTCARE:
        return Grounding.DONTCARE
    if label.context:
        grounding = _in_context(label, parameter, text)
        if grounding is not None:
            return grounding
    if parameter.type == "boolean":
        return Grounding.BOOLEAN
    if not text.settled:
        places = locate(label, text.utterance, parameter, text.lexicon, text.today)
        if places:
            return places
    if parameter.enum:
        return Grounding.CATEGORICAL
    grounding = None if label.context else _in_context(label, parameter, text)
    return _not_found(label, text) if grounding is None else grounding


def _in_context(label: LabelledArgument, parameter: Parameter, text: Text) -> Grounding | None:
    """Whether an earlier turn says the value; looked for letter for letter first, which is cheap."""
    for way in (*label.spoken, label.value):
        for turn in reversed(text.context):
            if way in turn.utterance and stands_in(way, turn.utterance):
                return Grounding.CONTEXT
    for turn in reversed(text.context):
        if locate(label, turn.utterance, parameter, text.lexicon, text.today):
            return Grounding.CONTEXT
    return None


def _given_place(label: LabelledArgument, utterance: str) -> Place | Problem:
    """The span that the source gives, checked against the text."""
    start, end = label.start, label.end
    if start is None or end is None or not 0 <= start < end <= len(utterance):
        found = f"span {start}:{end} in an utterance of {len(utterance)} code points"
        return _mismatch(label, found, "0 <= start < end <= length")
    surface = utterance[start:end]
    ways = (*label.spoken, label.value)
    if surface == label.value:
        return Place(start, end, Grounding.VERBATIM)
    if surface.casefold() == label.value.casefold():
        return Place(start, end, Grounding.CASE)
    if surface.casefold() in {way.casefold() for way in ways}:
        return Place(start, end, Grounding.NORMALIZED)
    return _mismatch(label, f"span {start}:{end} on the text {quote_text(surface)}", quote_text(ways[0]))


def _settle(
    open_places: dict[int, tuple[Place, ...]],
    labels: Sequence[LabelledArgument],
    parameters: Sequence[Parameter],
    text: Text,
    taken: _Taken,
    placed: dict[int, Argument],
) -> list[Problem]:
    """Give every value with one free place that place, until nothing changes."""
    problems: list[Problem] = []
    progress = True
    while open_places and progress:
        free = {index: tuple(filter(taken.is_free, places)) for index, places in open_places.items()}
        single = {index: places[0] for index, places in free.items() if len(places) == 1}
        progress = bool(single)
        for index, place in single.items():
            del open_places[index]
            if taken.is_free(place):
                taken.take(place)
                placed[index] = _located(labels[index], place, text.utterance)
            else:
                problems.append(_overlap(labels[index], place, text.utterance))
    for index, places in open_places.items():
        label = labels[index]
        free_places = [place for place in places if taken.is_free(place)]
        if free_places:
            problems.append(_ambiguous(label, free_places, text.utterance))
        elif parameters[index].enum:
            # Its only mentions belong to other arguments, so this one is not said in the text.
            placed[index] = Argument(label.slot, label.value, None, None, None, Grounding.CATEGORICAL)
        else:
            problems.append(_overlap(label, places[0], text.utterance))
    return problems


def _located(label: LabelledArgument, place: Place, utterance: str) -> Argument:
    surface = utterance[place.start : place.end]
    return Argument(label.slot, label.value, surface, place.start, place.end, place.grounding)


def _mismatch(label: LabelledArgument, found: str, expected: str) -> Problem:
    message = f"found {found} for slot {label.slot!r}, expected {expected}; correct the span, or leave it out"
    return Problem(Reason.SPAN_MISMATCH, label.slot, message)


def _overlap(label: LabelledArgument, place: Place, utterance: str) -> Problem:
    surface = quote_text(utterance[place.start : place.end])
    return Problem(
        Reason.OVERLAPPING_SPANS,
        label.slot,
        f"found the value of slot {label.slot!r} at {place.start}:{place.end} ({surface}), where another "
        "argument stands, expected a text of its own; give spans or an exemplar, or merge the slots",
    )


def _ambiguous(label: LabelledArgument, places: Sequence[Place], utterance: str) -> Problem:
    spans = ", ".join(f"{place.start}:{place.end}" for place in places[:5])
    return Problem(
        Reason.VALUE_AMBIGUOUS,
        label.slot,
        f"found {quote_text(label.value)} of slot {label.slot!r} {len(places)} times ({spans}), expected once; "
        "add an exemplar line, or a span, that says which is meant",
    )


def _not_found(label: LabelledArgument, text: Text) -> Problem:
    return Problem(
        Reason.VALUE_NOT_FOUND,
        label.slot,
        f"found no mention of {quote_text(label.value)} of slot {label.slot!r} in the utterance or in the "
        f"{len(text.context)} turns before it, expected one; correct the value, or say it in the text",
    )
