"""Words that are likely misspelled."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from exemplars.core.records import Exemplar

if TYPE_CHECKING:
    from spellchecker import SpellChecker

_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_MIN_LETTERS: Final = 5
"""A shorter word has too many neighbors in the dictionary."""


def find_misspelled_words(turns: Mapping[str, Sequence[Exemplar]]) -> dict[str, str]:
    """Find lower-case words that are in no dictionary, while a word one edit away is; each with the id of its turn.

    Words of arguments are ignored, because they are often names; so are words of several turns, because they
    are vocabulary of the data.

    turns: the calls of each, by its id.
    """
    owners: dict[str, str | None] = {}
    for turn, calls in turns.items():
        for word in list_plain_words(calls):
            owners[word] = None if word in owners else turn
    rare = {word: turn for word, turn in owners.items() if turn is not None and len(word) >= _MIN_LETTERS}
    if not rare:
        return {}
    dictionary = _load_dictionary()
    unknown = sorted(dictionary.unknown(rare))
    return {word: rare[word] for word in unknown if dictionary.known(dictionary.edit_distance_1(word))}


def list_plain_words(calls: Sequence[Exemplar]) -> set[str]:
    """List the lower-case words of a text outside the arguments of all its calls, except those with an apostrophe."""
    return set.intersection(*(set(_list_words(call.exemplar)) for call in calls))


def _list_words(template: str) -> Iterator[str]:
    for match in _WORD.finditer(template):
        is_slot_name = template[match.start() - 1 : match.start()] in {"<", "_"}
        if match[0].islower() and "'" not in match[0] and "’" not in match[0] and not is_slot_name:
            yield match[0]


@functools.cache
def _load_dictionary() -> SpellChecker:
    from spellchecker import SpellChecker

    return SpellChecker(language="en", distance=1)
