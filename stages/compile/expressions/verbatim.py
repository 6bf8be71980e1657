"""Verbatim text: where a text contains a string letter for letter, or ignoring case, as whole tokens."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Final

_NOT_BEFORE: Final = re.compile(r"\d[.,:/]$|[$€£]$")
_NOT_AFTER: Final = re.compile(r"[.,:/]\d")

Span = tuple[int, int]
"""Start and end in code points, end exclusive."""


def find_exact(text: str, wanted: str) -> list[Span]:
    """Find a string in a text, letter for letter, on token boundaries.

    >>> find_exact("art for a party", "art")
    [(0, 3)]
    """
    spans = []
    start = text.find(wanted) if wanted else -1
    while start >= 0:
        end = start + len(wanted)
        if is_on_boundaries(text, start, end):
            spans.append((start, end))
            start = text.find(wanted, end)
        else:
            start = text.find(wanted, start + 1)
    return spans


def find_ignoring_case(text: str, wanted: str) -> list[Span]:
    """Find a string in a text, ignoring case, on token boundaries. Offsets are those of the original text."""
    folded, origins = _fold(text)
    spans = []
    for start, end in _find_all(folded, wanted.casefold()):
        first, last = origins[start], origins[end - 1]
        # A letter that folds to several (ß to ss) must be matched whole.
        is_whole = (start == 0 or origins[start - 1] != first) and (
            end == len(origins) or origins[end] != last
        )
        if is_whole and is_on_boundaries(text, first, last + 1):
            spans.append((first, last + 1))
    return spans


def is_on_boundaries(text: str, start: int, end: int) -> bool:
    """Return whether a span begins and ends at boundaries of words and numbers.

    A digit next to `.`, `,`, `:` or `/` and another digit, or after a currency sign, is part of a longer
    number, and a combining mark is part of the letter before it.
    """
    if start > 0:
        if _is_joined(text[start - 1], text[start]):
            return False
        if text[start].isdigit() and _NOT_BEFORE.search(text[max(0, start - 2) : start]):
            return False
    if end < len(text):
        if _is_joined(text[end - 1], text[end]):
            return False
        if text[end - 1].isdigit() and _NOT_AFTER.match(text[end : end + 2]):
            return False
    return True


def _is_joined(before: str, after: str) -> bool:
    return _is_in_word(after) and (_is_in_word(before) or not after.isalnum())


def _is_in_word(letter: str) -> bool:
    """Letters, digits and `_`, and the combining marks and joiners that continue a letter."""
    return letter.isalnum() or letter in "_\u200d\ufe0f" or "\u0300" <= letter <= "\u036f"


def _find_all(folded: str, wanted: str) -> Iterator[Span]:
    """Find all occurrences, overlapping ones too: which of them are on boundaries is decided later."""
    start = folded.find(wanted) if wanted else -1
    while start >= 0:
        yield start, start + len(wanted)
        start = folded.find(wanted, start + 1)


@functools.lru_cache(maxsize=256)
def _fold(text: str) -> tuple[str, range | list[int]]:
    """Case-fold a text; for each code point of the result, return its index in the text."""
    if text.isascii():
        return text.casefold(), range(len(text))
    origins = [index for index, letter in enumerate(text) for _ in letter.casefold()]
    return "".join(letter.casefold() for letter in text), origins
