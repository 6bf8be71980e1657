"""Words: where they begin and end in a text, and where a text says the words of a value in other forms."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

import regex

from exemplars.dataset.expressions.letters import SYLLABLE, make_word_pattern
from exemplars.dataset.expressions.mentions import Mention, keep_longest
from exemplars.dataset.expressions.occurrences import find_occurrences
from exemplars.dataset.expressions.spelling import list_beginnings, normalize_word

_SIGNS: Final = r"(?<=[^\W\d_])(?:\+{1,2}|#)(?![\w+#])"
"""What makes another name of a letter or a word: C++, C#."""
_OPERATOR: Final = r"(?<=\d)[+*/×÷=^](?=\d)"
_ASCII: Final = r"[^\W_]+"
_ASCII_TOKEN: Final = re.compile(rf"{_ASCII}(?:'{_ASCII})*(?:{_SIGNS})?|&|{_OPERATOR}")
_ASCII_COMPOUND: Final = re.compile(rf"{_ASCII}(?:['-]{_ASCII})*(?:{_SIGNS})?|&|{_OPERATOR}")
_WORD: Final = make_word_pattern(r"[\p{L}\p{N}]")
_EMOJI: Final = r"(?![©®™])(?=\p{Extended_Pictographic}|\p{Regional_Indicator})\X"
_REST: Final = rf"(?:{_SIGNS})?|{SYLLABLE}|&|{_OPERATOR}|{_EMOJI}"
_TOKEN: Final = regex.compile(rf"{_WORD}(?:['’]{_WORD})*+{_REST}", regex.VERSION1)
_COMPOUND: Final = regex.compile(rf"{_WORD}(?:['’‐‑-]{_WORD})*+{_REST}", regex.VERSION1)
_HYPHENS: Final = re.compile("[-‐‑]")
_UMLAUTS: Final = re.compile("[äöüøåÄÖÜØÅ]")
_ARTICLES: Final = frozenset({"the", "a", "an"})


class Word(NamedTuple):
    """A word of a text."""

    base: str
    """Its `normalize_word`."""
    start: int
    end: int
    """Code points, end exclusive."""


@functools.lru_cache(maxsize=1024)
def split_words(text: str, *, joined: bool = False, transliterated: bool = False) -> tuple[Word, ...]:
    """Split a text into words.

    joined: take words that hyphens join as a single word, without the hyphens.
    transliterated: see `normalize_word`.

    >>> [word.base for word in split_words("Wi-Fi & cookies")]
    ['wi', 'fi', 'and', 'cookie']
    >>> [word.base for word in split_words("Wi-Fi & cookies", joined=True)]
    ['wifi', 'and', 'cookie']
    """
    ascii_token, token = (_ASCII_COMPOUND, _COMPOUND) if joined else (_ASCII_TOKEN, _TOKEN)
    words = []
    for match in (ascii_token if text.isascii() else token).finditer(text):
        word = _HYPHENS.sub("", match[0]) if joined else match[0]
        words.append(Word(normalize_word(word, transliterated), match.start(), match.end()))
    return tuple(words)


def find_wordings(text: str, value: str) -> tuple[Mention[str], ...]:
    """Find the words of a value in a text, in any form of theirs, ignoring a leading article.

    Forms differ by inflection, accents, spelling, or hyphens: "wifi" and "wi-fi", "Müller" and "Mueller".
    """
    mentions = _find_words(text, value)
    if _HYPHENS.search(text) or _HYPHENS.search(value):
        mentions += _find_words(text, value, joined=True)
    if _UMLAUTS.search(text) or _UMLAUTS.search(value):
        mentions += _find_words(text, value, transliterated=True)
    return keep_longest(mentions)


def is_value(surface: str, value: str) -> bool:
    """Return whether a surface says the words of a value, and nothing else but an article.

    >>> is_value("the guild theater", "The Guild Theatre"), is_value("guild", "The Guild Theatre")
    (True, False)
    """
    for mention in find_wordings(surface, value):
        before = split_words(surface[: mention.start])
        if mention.end == len(surface) and all(word.base in _ARTICLES for word in before):
            return True
    return False


def _find_words(
    text: str, value: str, *, joined: bool = False, transliterated: bool = False
) -> list[Mention[str]]:
    """Find the words of a value in a text, both read in the same way; see `split_words`."""
    wanted = _drop_articles(
        word.base for word in split_words(value, joined=joined, transliterated=transliterated)
    )
    if not wanted or (text.isascii() and not _may_contain(text, wanted[0], joined)):
        return []
    words = split_words(text, joined=joined, transliterated=transliterated)
    width = len(wanted)
    return [
        Mention(words[index].start, words[index + width - 1].end, (value,))
        for index in find_occurrences([word.base for word in words], wanted)
    ]


def _drop_articles(bases: Iterable[str]) -> list[str]:
    words = list(bases)
    return words[sum(1 for _ in itertools.takewhile(_ARTICLES.__contains__, words[:-1])) :]


def _may_contain(text: str, base: str, joined: bool) -> bool:
    """Return whether a text can contain a word: most contain nothing of a value, and splitting takes time."""
    lowered = text.lower().replace("'", "")
    if joined:
        lowered = lowered.replace("-", "")
    return any(beginning in lowered for beginning in list_beginnings(base))
