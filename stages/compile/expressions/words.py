"""Words: where they begin and end in a text, and what is the same word in another form."""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Final, NamedTuple

from stages.compile.expressions.mentions import Mention
from stages.compile.expressions.numbers import UNITS

_LETTERS: Final = r"(?:[^\W_][\u0300-\u036f]*)+"  # A mark that combines belongs to its letter.
_TOKEN: Final = re.compile(rf"{_LETTERS}(?:['’]{_LETTERS})*|&")
_SAME: Final = {
    "&": "and",
    "theatre": "theater",
    "theatres": "theater",
    **{w: str(n) for w, n in UNITS.items()},
}
_ARTICLES: Final = frozenset({"the", "a", "an"})


class Word(NamedTuple):
    """A word of a text in its base form."""

    base: str
    start: int
    end: int
    """Code points, end exclusive."""


@functools.lru_cache(maxsize=1024)
def words_in(text: str) -> tuple[Word, ...]:
    """The words of a text, each in its base form."""
    return tuple(Word(base_form(match[0]), match.start(), match.end()) for match in _TOKEN.finditer(text))


@functools.lru_cache(maxsize=65536)
def base_form(word: str) -> str:
    """A word without case, accents, possessive and plural endings; small numbers as digits."""
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


def wordings_in(text: str, value: str) -> tuple[Mention[str], ...]:
    """Where the words of a value stand in a text, in any form, without a leading article."""
    wanted = [word.base for word in words_in(value)]
    while len(wanted) > 1 and wanted[0] in _ARTICLES:
        del wanted[0]
    if not wanted:
        return ()
    if wanted[0].isalpha() and text.isascii() and wanted[0][:3] not in text.lower():
        return ()  # Most texts hold nothing of a value: do not take them apart.
    words = words_in(text)
    width = len(wanted)
    found = []
    for index in range(len(words) - width + 1):
        if words[index].base == wanted[0] and [one.base for one in words[index : index + width]] == wanted:
            found.append(Mention(words[index].start, words[index + width - 1].end, (value,)))
    return tuple(found)
