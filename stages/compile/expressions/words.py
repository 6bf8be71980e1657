"""Words: where they begin and end in a text, and which are forms of the same word."""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Final, NamedTuple

from stages.compile.expressions.mentions import Mention
from stages.compile.expressions.numbers import UNITS

_LETTERS: Final = r"(?:[^\W_][\u0300-\u036f]*)+"  # A combining mark belongs to its letter.
_TOKEN: Final = re.compile(rf"{_LETTERS}(?:['’]{_LETTERS})*|&")
_SAME: Final = {
    "&": "and",
    "theatre": "theater",
    "theatres": "theater",
    **{word: str(number) for word, number in UNITS.items()},
}
_ARTICLES: Final = frozenset({"the", "a", "an"})


class Word(NamedTuple):
    """A word of a text."""

    base: str
    """Its `normalize_word`."""
    start: int
    end: int
    """Code points, end exclusive."""


@functools.lru_cache(maxsize=1024)
def split_words(text: str) -> tuple[Word, ...]:
    """Split a text into words."""
    return tuple(
        Word(normalize_word(match[0]), match.start(), match.end()) for match in _TOKEN.finditer(text)
    )


@functools.lru_cache(maxsize=65536)
def normalize_word(word: str) -> str:
    """Reduce a word to its base form: no case, accents, possessive or plural endings; small numbers as digits.

    >>> [normalize_word(word) for word in ("Cities", "Anna's", "café", "two")]
    ['city', 'anna', 'cafe', '2']
    """
    word = word.casefold()
    if not word.isascii():
        letters = unicodedata.normalize("NFKD", word)
        word = "".join(letter for letter in letters if not unicodedata.combining(letter))
    word = re.sub(r"['’]s$|['’]$", "", word)
    word = re.sub(r"['’]", "", word)
    if word in _SAME:
        return _SAME[word]
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and re.search(r"(?:s|x|z|ch|sh)es$", word):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word


def find_wordings(text: str, value: str) -> tuple[Mention[str], ...]:
    """Find the words of a value in a text, in any form of theirs, ignoring a leading article."""
    wanted = [word.base for word in split_words(value)]
    while len(wanted) > 1 and wanted[0] in _ARTICLES:
        del wanted[0]
    if not wanted:
        return ()
    if wanted[0].isalpha() and text.isascii() and wanted[0][:3] not in text.lower():
        return ()  # Most texts contain nothing of a value; splitting them into words would be slow.
    words = split_words(text)
    width = len(wanted)
    return tuple(
        Mention(words[index].start, words[index + width - 1].end, (value,))
        for index in range(len(words) - width + 1)
        if words[index].base == wanted[0] and [word.base for word in words[index : index + width]] == wanted
    )
