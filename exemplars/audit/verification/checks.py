"""What a check says: what it looked at, and what is wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from exemplars.core.errors import Diagnostic

_NAMED: Final = 3
"""Ids that a sentence names."""
_A_FILE: Final = 5
"""Problems of one kind that are told of one file; the others are counted."""


class Check(NamedTuple):
    """One link of the chain, looked at."""

    name: str
    counted: str
    """What was looked at, with its numbers."""
    problems: tuple[Diagnostic, ...] = ()
    notes: tuple[str, ...] = ()
    """What could not be looked at, and is no damage."""


def problem(path: str, code: str, found: str, expected: str, fix: str) -> Diagnostic:
    """What is wrong with a file, a row, or a key."""
    return Diagnostic(path=path, code=code, found=found, expected=expected, fix=fix)


def short(digest: str) -> str:
    """The first digits of a hash, enough to tell two apart."""
    return digest if len(digest) <= 12 else f"{digest[:12]}…"


def some(names: Collection[str]) -> str:
    """The first names in their order, and how many more there are."""
    first = ", ".join(sorted(names)[:_NAMED])
    more = len(names) - _NAMED
    return f"{first} and {more:,} more" if more > 0 else first


def bounded(found: Iterable[Diagnostic], file: str) -> list[Diagnostic]:
    """The first problems of each kind in a file, and a sentence that counts the others."""
    shown: list[Diagnostic] = []
    counts: dict[str, int] = {}
    for one in found:
        counts[one.code] = counts.get(one.code, 0) + 1
        if counts[one.code] <= _A_FILE:
            shown.append(one)
    for code, count in counts.items():
        if count > _A_FILE:
            left = f"{count - _A_FILE:,} more rows like these"
            shown.append(problem(file, code, left, "none", "see the rows above"))
    return shown
