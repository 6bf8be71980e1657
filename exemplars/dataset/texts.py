"""When two texts are the same, or nearly so. Every stage that compares texts means this."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_PUNCTUATION: Final = re.compile(r"[^\w\s<>]+")
_CHARACTERS: Final = 4
_WORDS: Final = 2


def normalize_text(text: str) -> str:
    """The text in lower case, without punctuation, with one space between words (Unicode NFKC).

    The angle brackets and names of a template's slots stay.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(_PUNCTUATION.sub("", text.lower()).split())


def make_shingles(text: str) -> frozenset[str]:
    """What two normalized texts have in common when they are alike: runs of 4 characters and of 2 words.

    A text that is shorter than a run is a run of its own; an empty text has none.
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


def compute_jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """The share of the runs of both that both have, in [0, 1]; 0 where both are empty."""
    common = len(one & other)
    total = len(one) + len(other) - common
    return common / total if total else 0.0
