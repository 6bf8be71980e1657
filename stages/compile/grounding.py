"""Grounding: where a text says a value, by a cascade from verbatim matches to a recognizer's expressions."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import NamedTuple

from exemplars.core.records import Grounding, LabelledArgument
from exemplars.dataset.catalog import Parameter
from exemplars.dataset.recognizers import BUILT_IN
from stages.compile.expressions.dates import find_dates
from stages.compile.expressions.mentions import Spanned, drop_parts, keep_longest, select_reading
from stages.compile.expressions.times import find_times
from stages.compile.expressions.values import find_sums, find_value, parse_clock_time, parse_digits
from stages.compile.expressions.verbatim import find_exact, find_ignoring_case
from stages.compile.lexicon import Lexicon


class Match(NamedTuple):
    """The span of a value in a text, and how it says the value; code points, end exclusive."""

    start: int
    end: int
    grounding: Grounding


def find_matches(
    label: LabelledArgument,
    text: str,
    parameter: Parameter,
    lexicon: Lexicon,
    today: datetime.date | None,
) -> tuple[Match, ...]:
    """Find all matches of a value in the first tier that has any, from left to right.

    today: what relative dates refer to; `None`: relative dates are not found.

    The tiers are ordered from the strongest evidence to the weakest, and those after the first that matches
    are not tried: in "Rome, yes, rome" the value "Rome" has one match, and is not ambiguous.
    """
    value = label.value
    # The spoken form comes before the value: whoever labeled it had the utterance at hand.
    for spoken in label.spoken:
        if spans := find_exact(text, spoken):
            return _match(spans, Grounding.VERBATIM if spoken == value else Grounding.NORMALIZED)
    aliases = lexicon.find_expressions(parameter.recognizer, value)
    # The exact spelling of the value is stronger evidence than the spoken form in different case.
    if spans := find_exact(text, value):
        return _expand_to_longer_mention(
            _match(spans, Grounding.VERBATIM), text, value, parameter, aliases, today
        )
    for spoken in label.spoken:
        if spans := find_ignoring_case(text, spoken):
            is_value = spoken.casefold() == value.casefold()
            return _match(spans, Grounding.CASE if is_value else Grounding.NORMALIZED)
    if spans := find_ignoring_case(text, value):
        return _expand_to_longer_mention(
            _match(spans, Grounding.CASE), text, value, parameter, aliases, today
        )
    # Other notations have to be parsed, and can have several readings ("at 5" is 05:00 or 17:00), so they
    # count only if the text does not spell the value out.
    if mentions := find_value(text, label, parameter, today):
        built_in = parameter.recognizer in BUILT_IN
        return _match_mentions(mentions, Grounding.RECOGNIZED if built_in else Grounding.NORMALIZED)
    # A recognizer's expressions come last: they may be learned from data, and need not resemble the value.
    return keep_longest(_match_aliases(text, aliases))


def _match(spans: Iterable[tuple[int, int]], grounding: Grounding) -> tuple[Match, ...]:
    return tuple(Match(start, end, grounding) for start, end in spans)


def _match_mentions(mentions: Iterable[Spanned], grounding: Grounding) -> tuple[Match, ...]:
    return tuple(Match(mention.start, mention.end, grounding) for mention in mentions)


def _match_aliases(text: str, aliases: Iterable[str]) -> list[Match]:
    return [
        match for alias in aliases for match in _match(find_ignoring_case(text, alias), Grounding.RECOGNIZED)
    ]


def _expand_to_longer_mention(
    matches: tuple[Match, ...],
    text: str,
    value: str,
    parameter: Parameter,
    aliases: tuple[str, ...],
    today: datetime.date | None,
) -> tuple[Match, ...]:
    """Expand each match to the longer mention of the same value that contains it.

    "Seattle" to "Seattle, WA"; "12:30" to "12:30 pm"; "20" to "20 dollars", unless the parameter's type is
    a number. If a number matches several times, matches within a time or a date are dropped.
    """
    longer: list[Match] = []
    minute, amount = parse_clock_time(value), parse_digits(value)
    if minute is not None:
        longer += _match_mentions(select_reading(find_times(text), minute), Grounding.NORMALIZED)
    if amount is not None:
        longer += _match_mentions(find_sums(text, amount, parameter), Grounding.NORMALIZED)
        if len(matches) > 1:
            matches = drop_parts(matches, [*find_times(text), *find_dates(text, today)]) or matches
    longer += _match_aliases(text, [alias for alias in aliases if len(alias) > len(value)])
    # In the order of the tiers: of equal spans the first is kept.
    return keep_longest([*matches, *longer]) if longer else matches
