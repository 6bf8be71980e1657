"""Marks of words: who says them, how long ago, whether an earlier turn said them, and whether they are a value.

What a turn repeats is known, and what it says first is news; "half past 7" is a time. That holds for all skills, so
that few rows teach it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from exemplars.core.records import Speaker, Turn
from exemplars.dataset.expressions.numbers import ORDINALS, UNITS
from exemplars.dataset.expressions.readings import READABLE, find_expressions
from exemplars.dataset.expressions.verbatim import Span

_WORD: Final = re.compile(r"\w+")
_ORDINAL: Final = re.compile(r"(\d+)(?:st|nd|rd|th)")
_NUMBERS: Final = {word: str(number) for word, number in {**UNITS, **ORDINALS}.items()}
_SENTENCE_ENDS: Final = frozenset(".!?")
_DISTANCES: Final = 3
"""Earlier turns are the last, the one before that, or older."""
_GROUPS: Final = 3 + len(READABLE)

MARKS: Final = 1 + _DISTANCES + _GROUPS
"""The number of marks of a token."""
Mark = tuple[float, ...]
"""The marks of a token: 0 or 1 each."""
UNMARKED: Final[Mark] = (0.0,) * MARKS
"""The marks of a token that is in no text."""


class TurnMarks(NamedTuple):
    """The marks of the tokens of a turn."""

    start: Mark
    """Who says the turn, and how long ago."""
    groups: tuple[Sequence[Span], ...]
    """Spans that are marked: what the user said before, what others said before, names, and each of `READABLE`."""

    def mark(self, span: Span) -> Mark:
        """Return the marks of the token with a span."""
        return (*self.start, *(float(_touches(span, spans)) for spans in self.groups))


def mark_turns(turns: Sequence[Turn]) -> list[TurnMarks]:
    """Find the marks of all turns. turns: the utterance first, then those before it, the latest first."""
    said: dict[bool, set[str]] = {True: set(), False: set()}
    marks: list[TurnMarks] = []
    for distance, turn in reversed(list(enumerate(turns))):
        text, is_user = turn.utterance, turn.speaker is Speaker.USER
        words = [(match.span(), normalize_word(match[0])) for match in _WORD.finditer(text)]
        known = [[span for span, word in words if word in said[by_user]] for by_user in (True, False)]
        distances = [float(min(distance, _DISTANCES) == number) for number in range(1, _DISTANCES + 1)]
        marks.append(
            TurnMarks((float(is_user), *distances), (*known, _find_names(text), *_find_values(text)))
        )
        said[is_user].update(word for _, word in words)
    return marks[::-1]


@lru_cache(maxsize=4096)
def _find_values(text: str) -> tuple[list[Span], ...]:
    """Find the expressions of each of `READABLE`; turns come again with each turn that follows them."""
    return tuple(find_expressions(text, kind) for kind in READABLE)


def _find_names(text: str) -> list[Span]:
    """Find capitalized words, except those that begin a sentence."""
    names: list[Span] = []
    end = 0
    for match in _WORD.finditer(text):
        begins_sentence = not end or not _SENTENCE_ENDS.isdisjoint(text[end : match.start()])
        if match[0][0].isupper() and not begins_sentence:
            names.append(match.span())
        end = match.end()
    return names


def normalize_word(word: str) -> str:
    """Write a word as others may write it: numbers as digits, no case.

    >>> [normalize_word(word) for word in ("14th", "Three", "third", "Rome")]
    ['14', '3', '3', 'rome']
    """
    folded = word.casefold()
    ordinal = _ORDINAL.fullmatch(folded)
    return ordinal[1] if ordinal else _NUMBERS.get(folded, folded)


def _touches(span: Span, words: Sequence[Span]) -> bool:
    return any(start < span[1] and span[0] < end for start, end in words)
