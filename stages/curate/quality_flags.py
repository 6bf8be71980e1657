"""What is wrong with a text as such: a flag is a reason to look at a row, not a verdict."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from exemplars.core.records import Exemplar, Speaker
from exemplars.dataset.texts import list_words
from stages.curate.english import has_fewer_tokens, has_more_tokens
from stages.curate.params import QualityFlag, QualityParams

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

_FLAGS: Final = tuple(QualityFlag)
_FILLER_WORDS: Final = frozenset(
    {
        "ah", "eh", "er", "erm", "hm", "hmm", "huh", "know", "like", "mhm", "mm", "oh", "ok", "okay", "so",
        "uh", "uhm", "um", "umm", "well", "yeah", "you",
    }
)  # fmt: skip
_CANNOT_END: Final = frozenset(
    {
        "a", "an", "and", "at", "because", "but", "by", "from", "his", "if", "into", "its", "my", "of", "or",
        "our", "than", "the", "their", "very", "with", "your",
    }
)  # fmt: skip
_MARKUP: Final = re.compile(
    r"</?(?:a|b|br|div|i|li|p|script|span|strong|table|td|tr|ul)\b[^>]{0,500}>"
    r"|&(?:amp|lt|gt|quot|nbsp|#\d{1,7});|\[[^\]]{0,500}\]\([^)]{0,500}\)|```|<\|[^|]{0,500}\|>|\[/?INST\]"
    r"|\{\{.{0,500}?\}\}",
    re.IGNORECASE,
)
"""No markup is longer than the bounds: without them, a text of opening signs would take quadratic time."""
_OPEN: Final = ("(", "[", "{", "“", "‘", ",", "-", "–", "—")
_MIN_WORDS_REPETITION: Final = 6
_MIN_WORDS_LANGUAGE: Final = 8
"""The language of a shorter text cannot be identified."""
_MIN_PROBABILITY_FOREIGN: Final = 0.95
"""Probability of another language from which a text is flagged."""


def find_row_flags(
    row: Exemplar, flag_text: Callable[[str], tuple[QualityFlag, ...]]
) -> tuple[QualityFlag, ...]:
    """Find the flags of a row by itself. The result of a tool is no text that a person wrote, and gets none.

    flag_text: returns the flags of a text, as `find_text_flags` does.
    """
    if row.speaker is not Speaker.USER:
        return ()
    flags = flag_text(row.utterance)
    # After a question, fillers can be an answer: "um yeah okay".
    is_answer = row.skill is None or bool(row.context)
    return tuple(flag for flag in flags if flag is not QualityFlag.FILLER_ONLY) if is_answer else flags


def encode_flags(*flags: QualityFlag) -> int:
    """Encode flags as a number with a bit for each.

    >>> decode_flags(encode_flags(QualityFlag.MARKUP, QualityFlag.TOO_SHORT))
    (<QualityFlag.TOO_SHORT: 'too_short'>, <QualityFlag.MARKUP: 'markup'>)
    """
    return sum(1 << _FLAGS.index(flag) for flag in flags)


def decode_flags(number: int) -> tuple[QualityFlag, ...]:
    """Decode what `encode_flags` returns; flags are in the order of `QualityFlag`."""
    return tuple(flag for bit, flag in enumerate(_FLAGS) if number >> bit & 1)


def add_misspellings(flags: NDArray[np.uint8], is_misspelled: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Add the flag of misspelled words to the flags of rows, which are encoded.

    A text in another language is flagged for that alone where English words decide about both.
    """
    flags = flags | np.where(is_misspelled, encode_flags(QualityFlag.MISSPELLING), 0).astype(np.uint8)
    is_foreign = (flags & encode_flags(QualityFlag.WRONG_LANGUAGE)) != 0
    by_words = encode_flags(QualityFlag.TRUNCATED, QualityFlag.MISSPELLING)
    return np.where(is_foreign, flags & ~np.uint8(by_words), flags)


def find_text_flags(text: str, params: QualityParams) -> tuple[QualityFlag, ...]:
    """Return the flags of a text by itself, whatever its row asks for and other rows say."""
    return tuple(_find_flags(text, list_words(text), params))


def _find_flags(text: str, words: Sequence[str], params: QualityParams) -> Iterator[QualityFlag]:
    if has_fewer_tokens(text, params.min_tokens):
        yield QualityFlag.TOO_SHORT
    if has_more_tokens(text, params.max_tokens):
        yield QualityFlag.TOO_LONG
    if _is_repetitive(words, params.max_repetition):
        yield QualityFlag.REPETITIVE
    if _is_truncated(text, words):
        yield QualityFlag.TRUNCATED
    if _is_foreign(text, words):
        yield QualityFlag.WRONG_LANGUAGE
    if has_markup(text):
        yield QualityFlag.MARKUP
    if words and set(words) <= _FILLER_WORDS:
        yield QualityFlag.FILLER_ONLY


def has_markup(text: str) -> bool:
    """Return whether a text has HTML, Markdown, or a part of a template or chat format in it."""
    return _MARKUP.search(text) is not None


def _is_repetitive(words: Sequence[str], max_repetition: float) -> bool:
    if len(words) < _MIN_WORDS_REPETITION:
        return False
    return max(Counter(words).values()) > max_repetition * len(words)


def _is_truncated(text: str, words: Sequence[str]) -> bool:
    if text.rstrip().endswith(_OPEN):
        return True
    return len(words) > 1 and words[-1] in _CANNOT_END and text[-1:].isalnum()


def _is_foreign(text: str, words: Sequence[str]) -> bool:
    if text.isascii() and len(words) < _MIN_WORDS_LANGUAGE:
        return False
    if not text.isascii() and _is_in_other_script(text):
        return True
    if len(words) < _MIN_WORDS_LANGUAGE:
        return False
    language, probability = _load_language_identifier().classify(text)
    return bool(language != "en" and probability >= _MIN_PROBABILITY_FOREIGN)


def _is_in_other_script(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    latin = sum(letter.isascii() or "LATIN" in unicodedata.name(letter, "") for letter in letters)
    return latin * 2 < len(letters)


@functools.cache
def _load_language_identifier() -> LanguageIdentifier:
    """Load langid's model (Lui and Baldwin 2012), as packaged by py3langid."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
