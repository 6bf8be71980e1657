"""Words of names: how they are split and folded, particles and suffixes, and how common they are as other words."""

from __future__ import annotations

import unicodedata
from typing import Final, NamedTuple

import regex

from stages.curate.english import load_dictionary

_WORD: Final = regex.compile(
    r"(?<![\p{N}\p{L}\p{M}_@])\p{L}[\p{L}\p{M}]*+(?:['’ʼ‐‑-]\p{L}[\p{L}\p{M}]*+)*+(?![\p{N}_@])"
)
_HYPHEN: Final = regex.compile(r"[‐‑-]")
_POSSESSIVE: Final = regex.compile(r"(?<=.)['’ʼ][sS]$")
PARTICLES: Final = frozenset({
    "abu", "af", "al", "av", "bin", "bint", "da", "das", "de", "del", "della", "der", "des", "di", "dos",
    "du", "el", "ibn", "la", "le", "st", "ter", "van", "vom", "von", "zu", "zum", "zur",
})  # fmt: skip
LATER_PARTICLES: Final = frozenset({"den", "het", "las", "los", "t", "ten", "y"})
"""Particles that follow another particle, or a family name."""
SUFFIXES: Final = frozenset({"jr", "sr", "ii", "iii", "iv"})


class NameWord(NamedTuple):
    """A word of a text, and what is before it; offsets are code points, the end is exclusive."""

    text: str
    """As written, without a possessive ending."""
    key: str
    """In lower case, without accents, with plain apostrophes and hyphens."""
    start: int
    end: int
    gap: str
    """The text between the word before and this one."""
    possessive: bool


def fold_name(name: str) -> str:
    """Fold a name for comparisons: case, accents, and the kinds of apostrophes and hyphens.

    >>> fold_name("José O’Brien")
    "jose o'brien"
    """
    plain = name.casefold().translate({0x2019: "'", 0x02BC: "'", 0x2010: "-", 0x2011: "-"})
    if plain.isascii():
        return plain
    return "".join(
        letter for letter in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(letter)
    )


def is_particle(word: str) -> bool:
    """Check whether a word is a particle of family names: de, la, van."""
    return fold_name(word) in PARTICLES | LATER_PARTICLES


def is_suffix(word: str) -> bool:
    """Check whether a word follows a family name: Jr., III."""
    return fold_name(word).strip(".,") in SUFFIXES


def count_in_dictionary(word: str) -> int:
    """Return how often an English word occurs in the corpus of the dictionary; 0: it is in no dictionary."""
    return int(load_dictionary().word_frequency.dictionary.get(word, 0))


def split_words(text: str) -> list[NameWord]:
    """Split a text into words, without their possessive endings."""
    words, position = [], 0
    for match in _WORD.finditer(text):
        written = match[0]
        if possessive := _POSSESSIVE.search(written):
            written = written[: possessive.start()]
        end = match.start() + len(written)
        gap = text[position : match.start()]
        words.append(
            NameWord(written, fold_name(written), match.start(), end, gap, possessive=possessive is not None)
        )
        position = end
    return words


def is_title(text: str) -> bool:
    """Check whether every part of a word with hyphens begins with a capital: McDonald, Garcia-Lopez."""
    return text[:1].isupper() and all(part[:1].isupper() for part in _HYPHEN.split(text))


def is_capitals(text: str) -> bool:
    """Check whether a word of several letters is in capitals."""
    return len(text) > 1 and text.isupper()
