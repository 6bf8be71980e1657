"""Where a value stands in a text: a ladder from letter for letter to what only a recognizer knows."""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final, NamedTuple

from exemplars.core.records import Grounding, LabelledArgument
from exemplars.dataset.catalog import Parameter
from exemplars.dataset.recognizers import BUILT_IN, Recognizers
from stages.compile.expressions.amounts import durations_in, money_in
from stages.compile.expressions.dates import dates_in
from stages.compile.expressions.mentions import Mention, with_reading
from stages.compile.expressions.numbers import number_of, numbers_in, ordinal_of, ordinals_in
from stages.compile.expressions.times import times_in
from stages.compile.expressions.words import wordings_in

_ISO_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_CLOCK_TIME: Final = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")
_RUNGS: Final = {grounding: rung for rung, grounding in enumerate(Grounding)}
_NUMBER: Final = re.compile(r"[+-]?\d+(?:\.\d+)?")
_NOT_BEFORE: Final = re.compile(r"\d[.,:/]$|[$€£]$")
_NOT_AFTER: Final = re.compile(r"[.,:/]\d")


class Place(NamedTuple):
    """Where a value stands in a text; code points, end exclusive."""

    start: int
    end: int
    grounding: Grounding


class Lexicon:
    """Recognizers, arranged for looking up the expressions of a value."""

    def __init__(self, recognizers: Recognizers) -> None:
        """Arrange them by name and, ignoring case, by label."""
        self._expressions: dict[tuple[str, str], tuple[str, ...]] = {}
        for name, recognizer in recognizers.recognizers.items():
            for instance in recognizer.instances:
                key = (name, instance.label.casefold())
                self._expressions[key] = (*self._expressions.get(key, ()), *instance.expressions)

    def expressions(self, recognizer: str | None, value: str) -> tuple[str, ...]:
        """The ways to say a value that a recognizer knows; none where it does not know the value."""
        if recognizer is None:
            return ()
        return self._expressions.get((recognizer, value.casefold()), ())


def locate(
    label: LabelledArgument,
    text: str,
    parameter: Parameter,
    lexicon: Lexicon,
    today: datetime.date | None,
) -> tuple[Place, ...]:
    """All places of a value on the first rung of the ladder that has any, sorted; empty: nowhere.

    The rungs: what the source says that was spoken, and the value itself, letter for letter on token
    boundaries; the same ignoring case; other ways to write a number, time, date or amount, or the
    words in another form; what the parameter's recognizer knows.
    today: what relative dates refer to; null: they are not found.
    """
    for spoken in label.spoken:
        if places := _exact(
            text, spoken, Grounding.VERBATIM if spoken == label.value else Grounding.NORMALIZED
        ):
            return places
    aliases = lexicon.expressions(parameter.recognizer, label.value)
    if places := _exact(text, label.value, Grounding.VERBATIM):
        return _widened(places, text, label.value, parameter, aliases, today)
    for spoken in label.spoken:
        grounding = Grounding.CASE if spoken.casefold() == label.value.casefold() else Grounding.NORMALIZED
        if places := _exact_ignoring_case(text, spoken, grounding):
            return places
    if places := _exact_ignoring_case(text, label.value, Grounding.CASE):
        return _widened(places, text, label.value, parameter, aliases, today)
    mentions = _normalized(text, label, parameter, today)
    if mentions:
        built_in = parameter.recognizer in BUILT_IN
        grounding = Grounding.RECOGNIZED if built_in else Grounding.NORMALIZED
        return tuple(Place(one.start, one.end, grounding) for one in mentions)
    return _longest(
        place for alias in aliases for place in _exact_ignoring_case(text, alias, Grounding.RECOGNIZED)
    )


def stands_in(wanted: str, text: str) -> bool:
    """Whether a text holds `wanted` letter for letter, on token boundaries."""
    return bool(_exact(text, wanted, Grounding.VERBATIM))


def on_boundaries(text: str, start: int, end: int) -> bool:
    """Whether a span begins and ends where a word or a number does.

    A digit does not stand alone beside `.`, `,`, `:` or `/` and another digit, or after a currency
    sign; a mark that combines with the letter before belongs to it.
    """
    if start > 0:
        if _joined(text[start - 1], text[start]):
            return False
        if text[start].isdigit() and _NOT_BEFORE.search(text[max(0, start - 2) : start]):
            return False
    if end < len(text):
        if _joined(text[end - 1], text[end]):
            return False
        if text[end - 1].isdigit() and _NOT_AFTER.match(text[end : end + 2]):
            return False
    return True


def _joined(before: str, after: str) -> bool:
    return _in_word(after) and (_in_word(before) or not after.isalnum())


def _in_word(letter: str) -> bool:
    """Letters, digits and `_`; combining marks and joiners, which continue a letter."""
    return letter.isalnum() or letter in "_\u200d\ufe0f" or "\u0300" <= letter <= "\u036f"


def _exact(text: str, wanted: str, grounding: Grounding) -> tuple[Place, ...]:
    places = []
    start = text.find(wanted) if wanted else -1
    while start >= 0:
        end = start + len(wanted)
        if on_boundaries(text, start, end):
            places.append(Place(start, end, grounding))
            start = text.find(wanted, end)
        else:
            start = text.find(wanted, start + 1)
    return tuple(places)


def _exact_ignoring_case(text: str, wanted: str, grounding: Grounding) -> tuple[Place, ...]:
    folded, origins = _folded(text)
    spans = _exact_folded(folded, wanted.casefold())
    places = []
    for start, end in spans:
        first, last = origins[start], origins[end - 1] + 1
        # A letter that folds to several (ß to ss) must be matched whole.
        whole = (start == 0 or origins[start - 1] != first) and (
            end == len(origins) or origins[end] != last - 1
        )
        if whole and on_boundaries(text, first, last):
            places.append(Place(first, last, grounding))
    return tuple(places)


def _exact_folded(folded: str, wanted: str) -> list[tuple[int, int]]:
    spans, start = [], folded.find(wanted) if wanted else -1
    while start >= 0:
        spans.append((start, start + len(wanted)))
        start = folded.find(wanted, start + 1)
    return spans


@functools.lru_cache(maxsize=256)
def _folded(text: str) -> tuple[str, range | list[int]]:
    """The text without case, and for each of its code points the place in the text."""
    folded = text.casefold()
    if text.isascii():
        return folded, range(len(text))
    origins = [index for index, letter in enumerate(text) for _ in letter.casefold()]
    return "".join(letter.casefold() for letter in text), origins


def _widened(
    places: tuple[Place, ...],
    text: str,
    value: str,
    parameter: Parameter,
    aliases: tuple[str, ...],
    today: datetime.date | None,
) -> tuple[Place, ...]:
    """The places, each widened to the longer name of the value in which it stands.

    "Seattle" within "Seattle, WA"; where the parameter is text and not a number, "20" within "20
    dollars". A number is no mention where it stands
    within a time or a date, unless there is no other.
    """
    wider = [
        one
        for alias in aliases
        if len(alias) > len(value)
        for one in _exact_ignoring_case(text, alias, Grounding.RECOGNIZED)
    ]
    if _CLOCK_TIME.fullmatch(value):
        wider += [Place(one.start, one.end, Grounding.NORMALIZED) for one in _find_time(text, value, today)]
    if _NUMBER.fullmatch(value):
        wider += [
            Place(one.start, one.end, Grounding.NORMALIZED) for one in _sums(text, Decimal(value), parameter)
        ]
        if len(places) > 1:
            elsewhere: list[Mention[Any]] = [*times_in(text), *dates_in(text, today)]
            apart = [one for one in places if not any(_within(one, other) for other in elsewhere)]
            places = tuple(apart) or places
    return _longest([*wider, *places]) if wider else places


def _within(place: Place, other: Mention[Any] | Place) -> bool:
    return other.start <= place.start and place.end <= other.end


def _longest(places: Iterable[Place]) -> tuple[Place, ...]:
    """The places that do not overlap a longer one; of equal ones that of the first rung."""
    kept: list[Place] = []
    for one in sorted(
        places, key=lambda place: (place.start - place.end, place.start, _RUNGS[place.grounding])
    ):
        if all(one.end <= other.start or other.end <= one.start for other in kept):
            kept.append(one)
    return tuple(sorted(kept))


def _normalized(
    text: str, label: LabelledArgument, parameter: Parameter, today: datetime.date | None
) -> tuple[Mention[Any], ...]:
    """The mentions of a value written in another way.

    A built-in recognizer says which kind of expression counts; else the value's own form does.
    """
    kind = parameter.recognizer if parameter.recognizer in BUILT_IN else _kind_of(label.value)
    if kind is None:
        return _longest_mentions(
            one for way in (*label.spoken, label.value) for one in wordings_in(text, way)
        )
    if kind == "number":
        return _find_number(text, label.value, parameter, today)
    return _FINDERS[kind](text, label.value, today)


def _sums(text: str, amount: Decimal, parameter: Parameter) -> tuple[Mention[Any], ...]:
    """The amounts of money that a number may be; of a parameter that is a number, it is the number alone."""
    if parameter.type in ("integer", "number"):
        return ()
    return tuple(one for one in money_in(text) if one.readings[0][0] == amount)


def _kind_of(value: str) -> str | None:
    if _ISO_DATE.fullmatch(value):
        return "date"
    if _CLOCK_TIME.fullmatch(value):
        return "time"
    if _NUMBER.fullmatch(value):
        return "number"
    if (mentions := money_in(value)) and mentions[0].end - mentions[0].start == len(value):
        return "money"
    if (spans := durations_in(value)) and spans[0].end - spans[0].start == len(value):
        return "duration"
    if (ordinals := ordinals_in(value)) and ordinals[0].end - ordinals[0].start == len(value):
        return "ordinal"
    return None


def _find_date(text: str, value: str, today: datetime.date | None) -> tuple[Mention[Any], ...]:
    try:
        return with_reading(dates_in(text, today), datetime.date.fromisoformat(value))
    except ValueError:
        return wordings_in(text, value)


def _find_time(text: str, value: str, today: datetime.date | None) -> tuple[Mention[Any], ...]:
    clock = _CLOCK_TIME.fullmatch(value)
    if clock is None:
        return wordings_in(text, value)
    return with_reading(times_in(text), (int(clock[1]) * 60 + int(clock[2])) % 1440)


def _find_number(
    text: str, value: str, parameter: Parameter, today: datetime.date | None
) -> tuple[Mention[Any], ...]:
    try:
        wanted = number_of(value)
    except ValueError:
        return wordings_in(text, value)
    sums = _sums(text, wanted, parameter)
    numbers = with_reading(numbers_in(text), wanted)
    if len(numbers) < 2 and not sums:
        return numbers
    elsewhere = [*sums, *times_in(text), *dates_in(text, today)]
    alone = [
        one
        for one in numbers
        if not any(other.start <= one.start and one.end <= other.end for other in elsewhere)
    ]
    return tuple(sorted([*sums, *alone])) or numbers


def _find_money(text: str, value: str, today: datetime.date | None) -> tuple[Mention[Any], ...]:
    wanted = money_in(value)
    if not wanted:
        return wordings_in(text, value)
    return with_reading(money_in(text), wanted[0].readings[0])


def _find_duration(text: str, value: str, today: datetime.date | None) -> tuple[Mention[Any], ...]:
    wanted = durations_in(value)
    if not wanted:
        return wordings_in(text, value)
    return with_reading(durations_in(text), wanted[0].readings[0])


def _find_ordinal(text: str, value: str, today: datetime.date | None) -> tuple[Mention[Any], ...]:
    try:
        return with_reading(ordinals_in(text), ordinal_of(value))
    except ValueError:
        return wordings_in(text, value)


_FINDERS: Final[dict[str, Callable[[str, str, datetime.date | None], tuple[Mention[Any], ...]]]] = {
    "date": _find_date,
    "time": _find_time,
    "money": _find_money,
    "duration": _find_duration,
    "ordinal": _find_ordinal,
}


def _longest_mentions(mentions: Iterable[Mention[Any]]) -> tuple[Mention[Any], ...]:
    places = _longest(Place(one.start, one.end, Grounding.NORMALIZED) for one in mentions)
    return tuple(Mention(one.start, one.end, ()) for one in places)
