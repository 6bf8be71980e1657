"""Mentions: the form in which all modules of this package report what they find in a text."""

from __future__ import annotations

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

    Of equally long ones the leftmost is kept, and of equal ones the first given.

    >>> keep_longest([Mention(0, 3, ()), Mention(0, 8, ()), Mention(9, 12, ())])
    (Mention(start=0, end=8, readings=()), Mention(start=9, end=12, readings=()))
    """
    kept: list[S] = []
    for span in sorted(spans, key=lambda span: (span.start - span.end, span.start)):
        if all(span.end <= other.start or other.end <= span.start for other in kept):
            kept.append(span)
    return tuple(sorted(kept, key=lambda span: span.start))


def drop_parts(spans: Iterable[S], wholes: Iterable[Spanned]) -> tuple[S, ...]:
    """Drop the spans that are part of a longer expression: the 2 in "2 pm"."""
    wholes = list(wholes)
    return tuple(
        span
        for span in spans
        if not any(whole.start <= span.start and span.end <= whole.end for whole in wholes)
    )


def select_reading(mentions: tuple[Mention[V], ...], value: V) -> tuple[Mention[V], ...]:
    """Select the mentions of which `value` is the most likely reading, or else any reading."""
    first = tuple(mention for mention in mentions if mention.readings[0] == value)
    return first or tuple(mention for mention in mentions if value in mention.readings)
