"""Letters: the units of a text that no value may begin or end within, by the properties of Unicode.

A unit is a word of a script that puts spaces between words. Scripts without spaces follow the rules of Unicode
(UAX 14 and 29) that need no dictionary: an ideograph or a letter of Hiragana is a unit, a run of Katakana is one,
and so is a syllable of Thai, Lao, Khmer or Burmese. Everything else is a grapheme: an emoji with its skin tone,
the two letters of a flag.
"""

from __future__ import annotations

import functools
from typing import Final

import regex

UNSPACED: Final = (
    r"[\p{Line_Break=SA}\p{Ideographic}\p{Script_Extensions=Hiragana}\p{Script_Extensions=Katakana}]"
)
"""A letter of a script without spaces."""
_MARKS: Final = r"[\p{M}\p{Join_Control}]*+"
_FOLLOWING: Final = (
    r"[[\p{Indic_Syllabic_Category=Vowel_Dependent}\p{Line_Break=CJ}]--\p{Logical_Order_Exception}]"
)
"""Vowels, small kana and the long vowel sign: they belong to the letter before them."""
_STACKED: Final = r"(?<=\p{Indic_Syllabic_Category=Invisible_Stacker})\p{L}"
SYLLABLE: Final = (
    rf"(?:\p{{Word_Break=Katakana}}{_MARKS})++"
    rf"|\p{{Logical_Order_Exception}}{{0,2}}+[\p{{L}}&&{UNSPACED}]{_MARKS}(?:(?:{_FOLLOWING}|{_STACKED}){_MARKS})*+"
)
"""A unit of a script without spaces."""


def make_word_pattern(letter: str) -> str:
    """Make the pattern of a word of a script with spaces; `letter` is a set of characters.

    A mark belongs to its letter, and what only formats, as a soft hyphen, does not end a word.
    """
    spaced = rf"[{letter}--{UNSPACED}]{_MARKS}"
    return rf"{spaced}(?:\p{{Word_Break=Format}}*+{spaced})*+"


_WORD: Final = make_word_pattern(r"[\p{L}\p{N}\p{Pc}]")
_FLAG: Final = r"\p{Regional_Indicator}{2}"  # For a row of flags, the engine's own rule takes quadratic time.
_UNIT: Final = regex.compile(rf"{_WORD}|{SYLLABLE}|{_FLAG}|\X", regex.VERSION1)


def is_within_unit(text: str, index: int) -> bool:
    """Return whether the position before the code point at `index` is within a word or a grapheme.

    >>> is_within_unit("art", 1), is_within_unit("an art", 3), is_within_unit("北京市", 2)
    (True, False, False)
    """
    if not text.isascii():
        return not _find_boundaries(text)[index]
    before, after = text[index - 1], text[index]
    return (after.isalnum() or after == "_") and (before.isalnum() or before == "_")


_latest: list[tuple[str, bytearray]] = []
"""The latest text with its boundaries: found by identity, since a cache compares equal texts at each look-up."""


def _find_boundaries(text: str) -> bytearray:
    if not _latest or _latest[0][0] is not text:
        _latest[:] = [(text, _list_boundaries(text))]
    return _latest[0][1]


@functools.lru_cache(maxsize=256)
def _list_boundaries(text: str) -> bytearray:
    """Mark each position at which a unit begins or ends."""
    boundaries = bytearray(len(text) + 1)
    boundaries[0] = 1
    for unit in _UNIT.finditer(text):
        boundaries[unit.end()] = 1
    return boundaries
