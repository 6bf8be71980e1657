"""Words that are likely misspelled."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from exemplars.core.records import Exemplar

if TYPE_CHECKING:
    from spellchecker import SpellChecker

_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_MIN_LETTERS: Final = 5
"""A shorter word has too many neighbors in the dictionary."""


def find_misspelled_words(exemplars: Iterable[Exemplar]) -> frozenset[str]:
    """Find lower-case words that are in no dictionary, while a word one edit away is.

    Words of arguments are ignored, because they are often names; so are words of several rows, because they
    are vocabulary of the data.
    """
    counts = Counter(word for row in exemplars for word in set(list_plain_words(row)))
    if not counts:
        return frozenset()
    dictionary = _load_dictionary()
    rare = [word for word, count in counts.items() if count == 1 and len(word) >= _MIN_LETTERS]
    unknown = sorted(dictionary.unknown(rare))
    return frozenset(word for word in unknown if dictionary.known(dictionary.edit_distance_1(word)))


def list_plain_words(exemplar: Exemplar) -> Iterator[str]:
    """List the lower-case words of a text outside its arguments, except those with an apostrophe."""
    template = exemplar.exemplar
    for match in _WORD.finditer(template):
        is_slot_name = template[match.start() - 1 : match.start()] in {"<", "_"}
        if match[0].islower() and "'" not in match[0] and "’" not in match[0] and not is_slot_name:
            yield match[0]


@functools.cache
def _load_dictionary() -> SpellChecker:
    from spellchecker import SpellChecker

    return SpellChecker(language="en", distance=1)
