"""Comparing texts: one function for each purpose. All stages use these.

- `make_equality_key`: are two texts the same text? For duplicates, conflicts and leaks, and for values.
- `make_spelling_key`: are they the same but for how they are spelled? For leaks, as near duplicates are.
- `is_mentioned`: does a text say a value?
- `make_similarity_text`: what two texts have in common, for near duplicates.
- `make_erasure_key`: the form in which tombstones remember what is to be erased.
- `list_words`: the plain words of a text.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Collection
from typing import Final

SHINGLE_CHARACTERS: Final = 4
"""Characters of a shingle."""
_WORDS: Final = 2
_NOT_A_WORD: Final = re.compile(r"[^\w\s<>]+")
_QUOTES: Final = "\"'“”„«»‹›`"
_SAME_MARKS: Final = str.maketrans("’‘ʼ′‐‑‒–−", "''''-----", "\u00ad\u200b\ufe0e\ufe0f\ufeff")
"""Apostrophes and hyphens of all kinds are the same; what is not seen is left out."""
_OPENING: Final = re.compile(rf"(?:[{_QUOTES}(\[{{¿¡「『（]|\.\.+)+")
_CLOSING: Final = _QUOTES + ")]}」』）.,;:!?…—。、，！？；：؟،۔।"
"""Punctuation that only divides a text. Marks within a word, and most of those before it, are kept."""
_ENDS: Final = ".,?!"
"""Signs that are stripped from a word whatever is before them."""
_LAST_SIGN: Final = re.compile(r"(?<=[a-z0-9])[.,?!](?!\S)")
_DIVIDER: Final = re.compile(rf"[.!?…]+|[{_QUOTES}()\[\]{{}},;:—。、，！？；：؟،۔।]")
_ABBREVIATION: Final = re.compile(r"(?<![^\W\d_])(?<!\.)(?:[^\W\d_]\.){2,}(?!\w)")
"""Single letters with dots: a.m., U.S."""
_JOINT: Final = re.compile(r"(?<=[^\W\d_])['-](?=[^\W\d_])")
_UNITS: Final = frozenset("\"'")
_WITH_MEANING: Final = ("<super>", "<sub>", "<fraction>")
"""Compatibility forms that mean something else than their plain letters: 2² is not 22."""


@functools.lru_cache(maxsize=4096)
def make_equality_key(text: str) -> str:
    """Make a key that two texts share if and only if they count as the same text.

    Case, white space, the width of letters, and punctuation around words do not count. Whatever can carry
    meaning does: signs, symbols, emoji, accents, and marks within words and numbers.

    >>> make_equality_key("Call <contact>,  PLEASE!")
    'call <contact> please'
    >>> [make_equality_key(text) for text in ("It's -1.5!", "C++", "C#", "3*4", "(👍)")]
    ["it's -1.5", 'c++', 'c#', '3*4', '👍']
    """
    folded = _fold_letters(text)
    if folded.count(".") > 1:
        folded = _ABBREVIATION.sub(lambda match: match[0].replace(".", ""), folded)
    if folded.isascii():
        # Most texts have letters and digits alone, but for one sign after a word.
        words = _LAST_SIGN.sub("", folded).split()
        if "".join(words).isalnum():
            return " ".join(words)
    words = folded.split()
    kept: list[str] = []
    opened: set[str] | None = None
    for word in words:
        if word.isalnum():
            kept.append(word)
        elif word[-1] in _ENDS and word[:-1].isalnum():
            kept.append(word[:-1])
        elif not _DIVIDER.fullmatch(word):
            if opened is None:
                opened = {other[0] for other in words if other[0] in _UNITS}
            kept.append(_strip_word(word, opened))
    return " ".join(kept or words)


def make_spelling_key(text: str) -> str:
    """Make a key that texts share if they are equal but for apostrophes and hyphens between letters.

    >>> make_spelling_key("That's the check-in, -5") == make_spelling_key("thats the checkin: -5")
    True
    """
    return _JOINT.sub("", make_equality_key(text))


def is_mentioned(value: str, text: str) -> bool:
    """Return whether a text says a value, as whole words and in the sense of `make_equality_key`.

    >>> is_mentioned("C", "books on C, please"), is_mentioned("C", "books on C++, please")
    (True, False)
    """
    key = make_equality_key(value)
    return bool(key) and f" {key} " in f" {make_equality_key(text)} "


def make_similarity_text(text: str) -> str:
    """Reduce a text to what counts for its similarity: Unicode NFKC, lower case, no punctuation, single spaces.

    The slots of a template are kept. Texts that differ in nothing but signs are alike, though not the same:
    see `make_equality_key`.

    >>> make_similarity_text("Call <contact>,  PLEASE!")
    'call <contact> please'
    """
    return _strip_punctuation(text)


def make_erasure_key(text: str) -> str:
    """Make the key of a text that is to be erased, however it is written: without punctuation and case.

    Tombstones hold hashes of these keys for good, so the keys never change.

    >>> make_erasure_key("(030) 555-0100"), make_erasure_key("030 5550100")
    ('030 5550100', '030 5550100')
    """
    return _strip_punctuation(text)


def list_words(text: str) -> list[str]:
    """List the words of a text, in lower case and without punctuation.

    >>> list_words("Um, I'd like -- well...")
    ['um', 'id', 'like', 'well']
    """
    return _strip_punctuation(text).split()


def has_text(text: str) -> bool:
    """Return whether a text says anything: it has a character that is not white space, control or format.

    >>> has_text("?"), has_text(" \\t\\u200b")
    (True, False)
    """
    return any(unicodedata.category(character)[0] not in "ZC" for character in text)


def make_shingles(text: str) -> frozenset[str]:
    """Split a similarity text into its shingles: all runs of 4 characters and of 2 words.

    A text that is shorter than a run is a shingle itself; an empty text has none.
    """
    if not text:
        return frozenset()
    words = text.split()
    characters = {
        text[start : start + SHINGLE_CHARACTERS]
        for start in range(max(1, len(text) - SHINGLE_CHARACTERS + 1))
    }
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


@functools.lru_cache(maxsize=4096)
def _strip_punctuation(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(_NOT_A_WORD.sub("", text.lower()).split())


def _strip_word(word: str, opened: Collection[str]) -> str:
    """Strip the punctuation around a word. opened: the quotes of `_UNITS` that begin a word of the text."""
    match = _OPENING.match(word)
    start = match.end() if match else 0
    end = max(start, len(word.rstrip(_CLOSING)))
    # A quote after a number is a unit (6' is not 6"), unless the number is quoted.
    if word[end : end + 1] in _UNITS.difference(opened) and word[start:end][-1:].isdigit():
        end += 1
    return word[start:end] or word


def _fold_letters(text: str) -> str:
    """Fold case and compatibility forms, except those that carry meaning."""
    if text.isascii():
        return text.lower()
    text = text.translate(_SAME_MARKS)
    folded = "".join(
        character
        if character.isascii() or unicodedata.decomposition(character).startswith(_WITH_MEANING)
        else unicodedata.normalize("NFKC", character)
        for character in unicodedata.normalize("NFC", text)
    )
    return unicodedata.normalize("NFC", folded.casefold())
