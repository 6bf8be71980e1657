"""What is wrong with a text as such: flags, each a reason to look at a row, none a verdict."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from exemplars.core.records import Exemplar
from exemplars.dataset.texts import normalize_text
from stages.curate.english import blank_english

if TYPE_CHECKING:
    from spellchecker import SpellChecker


class Flag(StrEnum):
    """What may be wrong with a text."""

    TOO_SHORT = "too_short"
    """Fewer tokens than `min_tokens`."""
    TOO_LONG = "too_long"
    """More tokens than `max_tokens`."""
    REPETITIVE = "repetitive"
    """One word makes up more than `max_repetition` of at least six words."""
    TRUNCATED = "truncated"
    """It ends in a word that cannot end a sentence, or in an open bracket or quote."""
    WRONG_LANGUAGE = "wrong_language"
    """Most letters are not Latin, or a long text is told to be in another language than English."""
    MARKUP = "markup"
    """Tags, entities, links in Markdown, code fences or chat-template tokens are left over."""
    MISSPELLING = "misspelling"
    """A lower-case word is in no dictionary, and a frequent word is one letter away."""
    FILLER_ONLY = "filler_only"
    """It asks for a skill, but says fillers alone ("um, uh, well")."""


class Limits(NamedTuple):
    """When a text is flagged."""

    min_tokens: int
    max_tokens: int
    max_repetition: float


_FILLERS: Final = frozenset(
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
    r"</?(?:a|b|br|div|i|li|p|script|span|strong|table|td|tr|ul)\b[^>]*>"
    r"|&(?:amp|lt|gt|quot|nbsp|#\d+);|\[[^\]]*\]\([^)]*\)|```|<\|[^|]*\|>|\[/?INST\]|\{\{.*?\}\}",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_OPEN: Final = ("(", "[", "{", "“", "‘", ",", "-", "–", "—")
_REPETITION_FROM: Final = 6
_LANGUAGE_FROM: Final = 8
"""Words; the language of shorter texts cannot be told."""
_ENGLISH_BELOW: Final = 0.95
"""A probability of another language of at least this flags a text."""
_SPELLED_FROM: Final = 5
"""Letters; shorter words have too many neighbours."""


def flags_of(
    exemplars: Sequence[Exemplar], limits: Limits, language: Callable[[str], tuple[str, float]]
) -> dict[str, tuple[Flag, ...]]:
    """The flags of each row that has any, by id, in the order of `Flag`.

    language: the code of a text's language (ISO 639-1), and its probability.
    """
    tokens = _token_counter()
    misspelt = misspelt_words(exemplars)
    flags = {}
    for one in exemplars:
        found = set(_flags(one, tokens(one.utterance), limits, language))
        if any(word in misspelt for word in _plain_words(one)):
            found.add(Flag.MISSPELLING)
        if Flag.WRONG_LANGUAGE in found:
            found -= {Flag.TRUNCATED, Flag.MISSPELLING}  # These are told by English words.
        if found:
            flags[one.id] = tuple(flag for flag in Flag if flag in found)
    return flags


def _flags(
    exemplar: Exemplar, tokens: int, limits: Limits, language: Callable[[str], tuple[str, float]]
) -> Iterator[Flag]:
    text = exemplar.utterance
    words = normalize_text(text).split()
    if tokens < limits.min_tokens:
        yield Flag.TOO_SHORT
    if tokens > limits.max_tokens:
        yield Flag.TOO_LONG
    if len(words) >= _REPETITION_FROM:
        [(_, most)] = Counter(words).most_common(1)
        if most > limits.max_repetition * len(words):
            yield Flag.REPETITIVE
    if text.rstrip().endswith(_OPEN) or (len(words) > 1 and words[-1] in _CANNOT_END and text[-1:].isalnum()):
        yield Flag.TRUNCATED
    if _is_foreign(text, words, language):
        yield Flag.WRONG_LANGUAGE
    if _MARKUP.search(text):
        yield Flag.MARKUP
    if exemplar.skill is not None and not exemplar.context and words and set(words) <= _FILLERS:
        yield Flag.FILLER_ONLY


def _is_foreign(text: str, words: Sequence[str], language: Callable[[str], tuple[str, float]]) -> bool:
    if text.isascii() and len(words) < _LANGUAGE_FROM:
        return False
    letters = [letter for letter in text if letter.isalpha()]
    latin = sum(letter.isascii() or "LATIN" in unicodedata.name(letter, "") for letter in letters)
    if letters and latin * 2 < len(letters):
        return True
    if len(words) < _LANGUAGE_FROM:
        return False
    code, probability = language(text)
    return code != "en" and probability >= _ENGLISH_BELOW


def misspelt_words(exemplars: Iterable[Exemplar]) -> frozenset[str]:
    """The lower-case words of the texts that are likely misspelt.

    Words within an argument are names as likely as not, and a word that several rows have is a word of
    this data: neither counts.
    """
    counts = Counter(word for one in exemplars for word in set(_plain_words(one)))
    if not counts:
        return frozenset()
    dictionary = _dictionary()
    rare = [word for word, count in counts.items() if count == 1 and len(word) >= _SPELLED_FROM]
    unknown = sorted(dictionary.unknown(rare))
    return frozenset(word for word in unknown if dictionary.known(dictionary.edit_distance_1(word)))


@functools.cache
def _dictionary() -> SpellChecker:
    from spellchecker import SpellChecker

    return SpellChecker(language="en", distance=1)


def _plain_words(exemplar: Exemplar) -> Iterator[str]:
    """The lower-case words of a text outside its arguments, without those that have an apostrophe."""
    for match in _WORD.finditer(exemplar.exemplar):
        before = exemplar.exemplar[match.start() - 1 : match.start()]
        if match[0].islower() and "'" not in match[0] and "’" not in match[0] and before not in {"<", "_"}:
            yield match[0]


@functools.cache
def _token_counter() -> Callable[[str], int]:
    """Counts tokens as spaCy's English tokenizer does."""
    tokenizer = blank_english().tokenizer
    return lambda text: len(tokenizer(text))


@functools.cache
def english_or_other() -> Callable[[str], tuple[str, float]]:
    """What tells the language of a text: langid's model (Lui and Baldwin 2012), as py3langid keeps it."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)

    def language(text: str) -> tuple[str, float]:
        code, probability = identifier.classify(text)
        return str(code), float(probability)

    return language
