"""Comparing texts: when two texts count as equal, and how similar they are. All stages use these."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_PUNCTUATION: Final = re.compile(r"[^\w\s<>]+")
_CHARACTERS: Final = 4
_WORDS: Final = 2


def normalize_text(text: str) -> str:
    """Normalize a text for comparison: Unicode NFKC, lower case, no punctuation, single spaces.

    The slots of a template are kept: `<contact>`.

    >>> normalize_text("Call <contact>,  PLEASE!")
    'call <contact> please'
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(_PUNCTUATION.sub("", text.lower()).split())


def make_shingles(text: str) -> frozenset[str]:
    """Split a normalized text into its shingles: all runs of 4 characters and of 2 words.

    A text that is shorter than a run is a shingle itself; an empty text has none.
    """
    if not text:
        return frozenset()
    words = text.split()
    characters = {text[start : start + _CHARACTERS] for start in range(max(1, len(text) - _CHARACTERS + 1))}
    pairs = {
        "\x1f".join(words[start : start + _WORDS]) + "\x1f"
        for start in range(max(1, len(words) - _WORDS + 1))
    }
    return frozenset(characters | pairs)


def compute_jaccard(first: frozenset[str], second: frozenset[str]) -> float:
    """Compute the Jaccard similarity of two sets, in [0, 1]; 0 if both are empty.

    >>> compute_jaccard(frozenset("abc"), frozenset("bcd"))
    0.5
    """
    common = len(first & second)
    total = len(first) + len(second) - common
    return common / total if total else 0.0
