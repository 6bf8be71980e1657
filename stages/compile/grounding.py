"""Grounding: where a text says a value, by a cascade from verbatim matches to a recognizer's expressions."""

from __future__ import annotations

import datetime
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from exemplars.core.records import Grounding, LabelledArgument
from exemplars.dataset.expressions.mentions import Spanned, keep_longest
from exemplars.dataset.expressions.quantities import is_part_of_quantity
from exemplars.dataset.expressions.values import (
    drop_other_uses,
    find_notations,
    find_value,
    has_repeatable_number,
    parse_digits,
)
from exemplars.dataset.expressions.verbatim import Span, find_exact, find_ignoring_case
from exemplars.dataset.expressions.words import is_value
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.recognizers import BUILT_IN
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
    are not tried: in "Rome, yes, rome" the value "Rome" has one match, and is not ambiguous. But all notations of
    a number, a time, a date and the like have equal standing: in "1 double, one night" the value 1 has two matches.
    """
    search = _Search(label, text, parameter, lexicon, today)
    value = label.value
    # The spoken form comes before the value: whoever labeled it had the utterance at hand.
    for spoken in label.spoken:
        if spans := search.drop_parts_of_numbers(find_exact(text, spoken)):
            if spoken != value:
                return _match_spans(spans, Grounding.NORMALIZED)
            return search.add_notations(_match_spans(spans, Grounding.VERBATIM))
    # The exact spelling of the value is stronger evidence than the spoken form in different case.
    if spans := search.drop_parts_of_numbers(find_exact(text, value)):
        return search.expand_and_add_notations(_match_spans(spans, Grounding.VERBATIM))
    for spoken in label.spoken:
        if spans := search.drop_parts_of_numbers(find_ignoring_case(text, spoken)):
            equal = spoken.casefold() == value.casefold()
            return _match_spans(spans, Grounding.CASE if equal else Grounding.NORMALIZED)
    if spans := search.drop_parts_of_numbers(find_ignoring_case(text, value)):
        return search.expand_and_add_notations(_match_spans(spans, Grounding.CASE))
    # Other notations have to be parsed, and can have several readings ("at 5" is 05:00 or 17:00), so a less likely
    # reading counts only if the text does not spell the value out.
    if mentions := find_value(text, label, parameter, today):
        return _match(mentions, search.notation)
    # A recognizer's expressions come last: they may be learned from data, and need not resemble the value.
    return keep_longest(search.match_aliases())


def confirm_span(
    label: LabelledArgument,
    text: str,
    span: Span,
    parameter: Parameter,
    lexicon: Lexicon,
    today: datetime.date | None,
) -> Grounding | None:
    """Return how a span that a source gives says a value; `None` if no tier finds the value there."""
    surface = text[span[0] : span[1]]
    if surface == label.value:
        return Grounding.VERBATIM
    wordings = (*label.spoken, label.value)
    if surface.casefold() == label.value.casefold():
        return Grounding.CASE
    if any(surface.casefold() == wording.casefold() for wording in wordings):
        return Grounding.NORMALIZED
    search = _Search(label, text, parameter, lexicon, today)
    # In the whole text too, since the words around a number decide whether it is an hour.
    in_text = [(mention.start, mention.end) for mention in search.find_all_notations()]
    alone = search._replace(text=surface)
    in_surface = [(span[0] + mention.start, span[0] + mention.end) for mention in alone.find_all_notations()]
    if span in in_text or span in in_surface:
        return search.notation
    if any(is_value(surface, wording) for wording in wordings):
        return Grounding.NORMALIZED
    if any((match.start, match.end) == (0, len(surface)) for match in alone.match_aliases()):
        return Grounding.RECOGNIZED
    return None


class _Search(NamedTuple):
    """The search of a value in a text, beyond its letters."""

    label: LabelledArgument
    text: str
    parameter: Parameter
    lexicon: Lexicon
    today: datetime.date | None

    @property
    def notation(self) -> Grounding:
        """The grounding of a value in another notation."""
        built_in = self.parameter.recognizer in BUILT_IN
        return Grounding.RECOGNIZED if built_in else Grounding.NORMALIZED

    def match_aliases(self, longer_than: int = 0) -> list[Match]:
        """Match the expressions that the recognizer knows for the value."""
        aliases = self.lexicon.find_expressions(self.parameter.recognizer, self.label.value)
        folded = self.text.casefold() if aliases else ""
        return [
            match
            for alias in aliases
            if len(alias) > longer_than and alias.casefold() in folded
            for match in _match_spans(find_ignoring_case(self.text, alias), Grounding.RECOGNIZED)
        ]

    def find_all_notations(self) -> list[Spanned]:
        """Find the mentions that may mean the value in any notation, however unlikely."""
        likely, unlikely = find_notations(self.text, self.label.value, self.parameter, self.today)
        return [*likely, *unlikely]

    def drop_parts_of_numbers(self, spans: list[Span]) -> list[Span]:
        """Drop the spans that are part of another number: 5 is not said in "5 million"."""
        if not spans or parse_digits(self.label.value) is None:
            return spans
        return [span for span in spans if not is_part_of_quantity(self.text, *span)]

    def add_notations(self, matches: Sequence[Match]) -> tuple[Match, ...]:
        """Add the mentions of the value in other notations that are as certain as its letters."""
        likely, _ = self._find_repetitions()
        if not likely:
            return tuple(matches)
        free = _drop_overlapping(likely, matches)
        return self._drop_other_uses(sorted([*matches, *_match(free, Grounding.NORMALIZED)]))

    def expand_and_add_notations(self, matches: Sequence[Match]) -> tuple[Match, ...]:
        """Replace each match by the longer mention of the same value that contains it; then add other mentions.

        "Seattle" becomes "Seattle, WA"; "12:30" "12:30 pm"; "20" "20 dollars", unless the parameter's type is
        a number.
        """
        likely, unlikely = self._find_repetitions()
        containing = [mention for mention in unlikely if _contains_any(mention, matches)]
        mentions = _match([*likely, *containing], Grounding.NORMALIZED)
        longer = [*mentions, *self.match_aliases(len(self.label.value))]
        # In the order of the tiers: of equal spans the first is kept.
        return self._drop_other_uses(keep_longest([*matches, *longer]) if longer else matches)

    def _find_repetitions(self) -> tuple[Sequence[Spanned], Sequence[Spanned]]:
        """Find the notations of a value that the text contains in digits or in letters."""
        if parse_digits(self.label.value) is not None and not has_repeatable_number(self.text):
            return (), ()
        return find_notations(self.text, self.label.value, self.parameter, self.today)

    def _drop_other_uses(self, matches: Sequence[Match]) -> tuple[Match, ...]:
        if len(matches) < 2 or parse_digits(self.label.value) is None:
            return tuple(matches)
        return drop_other_uses(tuple(matches), self.text, self.parameter, self.today)


def _contains_any(span: Spanned, matches: Sequence[Match]) -> bool:
    """Return whether a span contains any of the matches, which are sorted."""
    index = bisect_left(matches, span.start, key=lambda match: match.start)
    return index < len(matches) and matches[index].end <= span.end


def _drop_overlapping(spans: Iterable[Spanned], matches: Sequence[Match]) -> list[Spanned]:
    """Drop the spans that overlap a match; the matches are sorted and do not overlap each other."""
    free = []
    for span in spans:
        index = bisect_left(matches, span.end, key=lambda match: match.start)
        if index == 0 or matches[index - 1].end <= span.start:
            free.append(span)
    return free


def _match(spans: Iterable[Spanned], grounding: Grounding) -> tuple[Match, ...]:
    return tuple(Match(span.start, span.end, grounding) for span in spans)


def _match_spans(spans: Iterable[Span], grounding: Grounding) -> tuple[Match, ...]:
    return tuple(Match(start, end, grounding) for start, end in spans)
