"""The result of a check: what it looked at, and the problems that it found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

from exemplars.core.errors import Diagnostic

_MAX_PER_CODE: Final = 5
"""Problems of one kind in one file that are listed; the others are counted."""
_HASH_DIGITS: Final = 12


class Check(NamedTuple):
    """The result of one check."""

    name: str
    counted: str
    """What was checked, with its numbers."""
    problems: tuple[Diagnostic, ...] = ()
    notes: tuple[str, ...] = ()
    """What could not be checked; not errors."""


def build_diagnostic(
    path: str, code: str, found: str, expected: str, fix: str, summary: str = ""
) -> Diagnostic:
    """Build the diagnostic of a file, a row or a key. summary: replaces "found ..., expected ..."."""
    return Diagnostic(path=path, code=code, found=found, expected=expected, fix=fix, summary=summary)


def shorten_hash(digest: str) -> str:
    """Shorten a hash to its first digits, enough to tell two hashes apart.

    >>> shorten_hash("8a11b3547d25c6f0")
    '8a11b3547d25…'
    """
    return digest if len(digest) <= _HASH_DIGITS else f"{digest[:_HASH_DIGITS]}…"


def cap_problems(problems: Iterable[Diagnostic], file: str) -> list[Diagnostic]:
    """Keep the first problems of each kind in a file, and add one that counts the others."""
    shown: list[Diagnostic] = []
    counts: Counter[str] = Counter()
    for problem in problems:
        counts[problem.code] += 1
        if counts[problem.code] <= _MAX_PER_CODE:
            shown.append(problem)
    for code, count in counts.items():
        if count > _MAX_PER_CODE:
            more = f"{count - _MAX_PER_CODE:,} more rows with this problem"
            shown.append(build_diagnostic(file, code, more, "none", "see the rows above", summary=more))
    return shown
