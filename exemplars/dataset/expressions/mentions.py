"""Mentions: the form in which all modules of this package report what they find in a text."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterable
from typing import Generic, NamedTuple, Protocol, TypeVar

V = TypeVar("V")


class Mention(NamedTuple, Generic[V]):
    """An expression in a text, with the values that it may mean."""

    start: int
    end: int
    """Code points, end exclusive."""
    readings: tuple[V, ...]
    """The most likely first. With a single reading, the expression is unambiguous."""


class Spanned(Protocol):
    """Anything with a span in a text."""

    @property
    def start(self) -> int: ...  # noqa: D102
    @property
    def end(self) -> int: ...  # noqa: D102


S = TypeVar("S", bound=Spanned)


def keep_longest(spans: Iterable[S]) -> tuple[S, ...]:
    """Drop spans that overlap a longer one, and return the others from left to right.

    Of equally long ones the leftmost is kept, and of equal ones the first given. No span is empty. Takes time
    in proportion to the text and to `n log n` of the spans.

    >>> keep_longest([Mention(0, 3, ()), Mention(0, 8, ()), Mention(9, 12, ())])
    (Mention(start=0, end=8, readings=()), Mention(start=9, end=12, readings=()))
    """
    ordered = sorted(spans, key=lambda span: (span.start - span.end, span.start))
    if len(ordered) < 2:
        return tuple(ordered)
    taken = bytearray(max((span.end for span in ordered), default=0))
    kept: list[S] = []
    for span in ordered:
        # What overlaps a span that is not shorter has its first or its last code point in it.
        if not taken[span.start] and not taken[span.end - 1]:
            taken[span.start : span.end] = b"\x01" * (span.end - span.start)
            kept.append(span)
    return tuple(sorted(kept, key=lambda span: span.start))


def drop_parts(spans: Iterable[S], wholes: Iterable[Spanned]) -> tuple[S, ...]:
    """Drop the spans that are part of a longer expression: the 2 in "2 pm"."""
    ordered = sorted(wholes, key=lambda whole: whole.start)
    starts = [whole.start for whole in ordered]
    ends = list(itertools.accumulate((whole.end for whole in ordered), max, initial=0))
    return tuple(span for span in spans if ends[bisect.bisect_right(starts, span.start)] < span.end)


def select_reading(mentions: tuple[Mention[V], ...], value: V) -> tuple[Mention[V], ...]:
    """Select the mentions of which `value` is the most likely reading, or else any reading."""
    first = tuple(mention for mention in mentions if mention.readings[0] == value)
    return first or tuple(mention for mention in mentions if value in mention.readings)
