"""What all kinds of expressions have in common."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

V = TypeVar("V")


class Mention(NamedTuple, Generic[V]):
    """An expression in a text, with what it may mean."""

    start: int
    end: int
    """Code points, end exclusive."""
    readings: tuple[V, ...]
    """The likeliest first. One: the expression can mean nothing else."""


def longest(mentions: list[Mention[V]]) -> tuple[Mention[V], ...]:
    """The mentions without those that overlap a longer one; of equally long ones the first stays."""
    kept: list[Mention[V]] = []
    for one in sorted(mentions, key=lambda mention: (mention.start - mention.end, mention.start)):
        if all(one.end <= other.start or other.end <= one.start for other in kept):
            kept.append(one)
    return tuple(sorted(kept))


def with_reading(mentions: tuple[Mention[V], ...], wanted: V) -> tuple[Mention[V], ...]:
    """The mentions that mean `wanted`: those whose likeliest reading it is, else any that may."""
    first = tuple(one for one in mentions if one.readings[0] == wanted)
    return first or tuple(one for one in mentions if wanted in one.readings)
