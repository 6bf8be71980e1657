"""Words that are likely misspelled."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Protocol

from stages.curate.english import load_dictionary

_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_MIN_LETTERS: Final = 5
"""A shorter word has too many neighbors in the dictionary."""


class HasTemplate(Protocol):
    """A call of a turn, of which the template is known."""

    @property
    def exemplar(self) -> str: ...  # noqa: D102


class WordCounts:
    """In how many turns each word is, and in which one if it is in one alone, without a list of turns for each word.

    Of the numbers of the turns, only the sum is kept: turns can be added in parts, and taken away again.
    """

    def __init__(self) -> None:
        """Count no turn yet."""
        self._turns: Counter[str] = Counter()
        self._sums: Counter[str] = Counter()

    def add(self, turn: int, words: Iterable[str]) -> None:
        """Add a turn with its different words; only those count that are long enough."""
        self._count(turn, words, 1)

    def remove(self, turn: int, words: Iterable[str]) -> None:
        """Take a turn away that was added with these words."""
        self._count(turn, words, -1)

    def _count(self, turn: int, words: Iterable[str], sign: int) -> None:
        for word in words:
            if len(word) >= _MIN_LETTERS:
                self._turns[word] += sign
                self._sums[word] += sign * turn

    def extend(self, other: WordCounts) -> None:
        """Add the turns of another shard."""
        self._turns.update(other._turns)
        self._sums.update(other._sums)

    def list_rare(self) -> dict[str, int]:
        """List the words of one turn alone, each with the number of the turn."""
        return {word: self._sums[word] for word, count in self._turns.items() if count == 1}


def find_misspelled_words(words: WordCounts) -> dict[str, int]:
    """Find lower-case words that are in no dictionary, while a word one edit away is; each with the number of its turn.

    Words of arguments are ignored, because they are often names; so are words of several turns, because they
    are vocabulary of the data.
    """
    rare = words.list_rare()
    if not rare:
        return {}
    dictionary = load_dictionary()
    unknown = sorted(dictionary.unknown(rare))
    return {word: rare[word] for word in unknown if dictionary.known(dictionary.edit_distance_1(word))}


def list_plain_words(calls: Sequence[HasTemplate]) -> set[str]:
    """List the lower-case words of a text outside the arguments of all its calls, except those with an apostrophe.

    Words that are too short to count are left out.
    """
    return set.intersection(*(set(_list_words(call.exemplar)) for call in calls))


def _list_words(template: str) -> Iterator[str]:
    for match in _WORD.finditer(template):
        word = match[0]
        if len(word) >= _MIN_LETTERS and word.islower() and "'" not in word and "’" not in word:
            is_slot_name = template[match.start() - 1 : match.start()] in {"<", "_"}
            if not is_slot_name:
                yield word
