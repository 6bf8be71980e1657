"""English: spaCy's tokenizer without a model, what is known of its tokens without it, and a dictionary."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

from exemplars.core.imports import hide_packages

if TYPE_CHECKING:
    from spacy.language import Language
    from spellchecker import SpellChecker

MODEL_LIBRARIES: Final = ("torch", "transformers")
"""Packages that spaCy and Presidio import if they are installed, for models that are not used here."""
_LETTERS: Final = re.compile(r"[A-Za-z]+")
_TOKENS_A_WORD: Final = 3
"""Tokens that spaCy makes of a run of letters, at most: "wouldntve" is would, nt, ve. A test looks at all its rules."""
_SPLIT_ENDS: Final = ("m", "ma", "ll", "ve", "d", "s", "re", "nt", "not", "na", "ta")
"""The ends of the runs of letters of which it makes several tokens: "im", "cannot", "gonna". The same test."""


@functools.cache
def load_blank_english() -> Language:
    """Load the blank pipeline `en`, once per process: 2 s, instead of 9 s with `MODEL_LIBRARIES`."""
    with hide_packages(*MODEL_LIBRARIES):
        import spacy

        return spacy.blank("en")


@functools.cache
def load_dictionary() -> SpellChecker:
    """Load the English dictionary of pyspellchecker, with how often each word occurs in its corpus: 0.3 s."""
    from spellchecker import SpellChecker

    return SpellChecker(language="en", distance=1)


def has_fewer_tokens(text: str, minimum: int) -> bool:
    """Return whether a text has fewer tokens than `minimum`, by spaCy's tokenizer; white space is no token."""
    if len(text.split()) >= minimum:  # Tokens end at white space.
        return False
    return bound_tokens(text)[1] < minimum or count_tokens(text) < minimum


def has_more_tokens(text: str, maximum: int) -> bool:
    """Return whether a text has more tokens than `maximum`, by spaCy's tokenizer; white space is no token."""
    if len(text) <= maximum:  # A token has a character.
        return False
    runs = _LETTERS.findall(text)
    others = len(text) - text.count(" ") - sum(map(len, runs))
    if others + _TOKENS_A_WORD * len(runs) <= maximum:
        return False
    low, high = bound_tokens(text)
    return high > maximum and (low > maximum or count_tokens(text) > maximum)


def bound_tokens(text: str) -> tuple[int, int]:
    """Return the minimum and the maximum number of tokens of a text; what they leave open, spaCy is loaded for.

    Tokens end at white space, and each has a character.

    >>> bound_tokens("I'd like two, please")
    (4, 7)
    """
    chunks = text.split()
    runs = _LETTERS.findall(text)
    others = sum(map(len, chunks)) - sum(map(len, runs))
    tokens = (min(len(run), _TOKENS_A_WORD) if run.lower().endswith(_SPLIT_ENDS) else 1 for run in runs)
    return len(chunks), others + sum(tokens)


def count_tokens(text: str) -> int:
    """Count the tokens of a text by spaCy's tokenizer; white space is no token."""
    return sum(not token.is_space for token in load_blank_english().tokenizer(text))
