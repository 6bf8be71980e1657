"""Verbatim text: where a text contains a string letter for letter, or ignoring case, as whole tokens."""

from __future__ import annotations

import functools
import re
from typing import Final

import regex

from exemplars.dataset.expressions.letters import is_within_unit
from exemplars.dataset.expressions.occurrences import find_occurrences

_NOT_BEFORE: Final = regex.compile(r"\d[.,:/]$|\p{Currency_Symbol}$|(?<!\w)[-\u2212]$")
_NOT_AFTER: Final = re.compile(r"[.,:/]\d")
_NAME_SIGNS: Final = re.compile(r"(?:\+{1,2}|#)(?![\w+#])")

Span = tuple[int, int]
"""Start and end in code points, end exclusive."""


def find_exact(text: str, wanted: str) -> list[Span]:
    """Find a string in a text, letter for letter, on token boundaries.

    >>> find_exact("art for a party", "art")
    [(0, 3)]
    """
    if wanted not in text:
        return []
    spans: list[Span] = []
    for start in find_occurrences(text, wanted):
        end = start + len(wanted)
        if (not spans or spans[-1][1] <= start) and is_on_boundaries(text, start, end):
            spans.append((start, end))
    return spans


def find_ignoring_case(text: str, wanted: str) -> list[Span]:
    """Find a string in a text, ignoring case, on token boundaries. Offsets are those of the original text."""
    folded, origins = _fold(text)
    wanted = wanted.casefold()
    if wanted not in folded:
        return []
    spans = []
    for start in find_occurrences(folded, wanted):
        end = start + len(wanted)
        first, last = origins[start], origins[end - 1]
        # A letter that folds to several (ß to ss) must be matched whole.
        is_whole = (start == 0 or origins[start - 1] != first) and (
            end == len(origins) or origins[end] != last
        )
        if is_whole and is_on_boundaries(text, first, last + 1):
            spans.append((first, last + 1))
    return spans


def is_on_boundaries(text: str, start: int, end: int) -> bool:
    """Return whether a span begins and ends at boundaries of words, graphemes and numbers.

    A digit next to `.`, `,`, `:` or `/` and another digit, after a currency sign or after a minus sign is part of
    a longer number; a letter before `+` or `#` is part of a name such as C++.

    >>> is_on_boundaries("-5 degrees", 1, 2), is_on_boundaries("books on C++", 9, 10)
    (False, False)
    """
    if start > 0:
        if is_within_unit(text, start):
            return False
        if text[start].isdigit() and _NOT_BEFORE.search(text[max(0, start - 2) : start]):
            return False
    if end < len(text):
        if is_within_unit(text, end):
            return False
        if text[end - 1].isdigit() and _NOT_AFTER.match(text[end : end + 2]):
            return False
        if text[end] in "+#" and text[end - 1].isalpha() and _NAME_SIGNS.match(text, end):
            return False
    return start == 0 or text[start] not in "-\u2212" or not text[start - 1].isalnum()


@functools.lru_cache(maxsize=256)
def _fold(text: str) -> tuple[str, range | list[int]]:
    """Case-fold a text; for each code point of the result, return its index in the text."""
    if text.isascii():
        return text.casefold(), range(len(text))
    origins = [index for index, letter in enumerate(text) for _ in letter.casefold()]
    return "".join(letter.casefold() for letter in text), origins
