"""Names of persons in a text: whole names, in any case, or nothing.

A surrogate for a part of a name leaves the other part: a wrong first name next to a true family name. So a
name is read from its first word to its last: first names with hyphens (Jean-Luc), initials, particles
(de la Cruz), prefixes (McDonald, O'Brien), double names (Garcia-Lopez) and suffixes (Jr.).
Where a text has capitals, they tell a family name from other words. Where it has none, a word belongs to a name if
it is in the lexicon of family names, or in no dictionary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

import regex

from stages.curate.lexicons import NameLexicon
from stages.curate.privacy.name_words import (
    LATER_PARTICLES,
    PARTICLES,
    SUFFIXES,
    NameWord,
    count_in_dictionary,
    fold_name,
    is_capitals,
    is_title,
    split_words,
)

_LETTERS: Final = regex.compile(r"[a-z]+")
_SPACE: Final = regex.compile(r"[^\S\n]+")
_SPACE_AFTER_DOT: Final = regex.compile(r"\.[^\S\n]*")
_BEFORE_SUFFIX: Final = regex.compile(r",?[^\S\n]+")
_IRISH: Final = regex.compile(r"(?:o|d|l|dell)'\p{L}{3,}")
_SCOTTISH: Final = regex.compile(r"ma?c\p{L}{4,}")
_NO_NAMES: Final = frozenset({"etc", "o'clock", "o'er"})

_TITLES: Final = frozenset({"mr", "mrs", "ms", "miss", "dr", "prof", "professor", "madam", "sir"})
_PLAIN_TITLES: Final = frozenset({"mr", "mrs", "ms", "dr", "prof"})
"""Titles that are no other word in lower case."""
_BEFORE_PLACES: Final = frozenset({"san", "santa", "saint", "st", "port", "fort", "lake", "mount"})
"""A name after one of these words is that of a place: "San Jose"."""
_PLACES: Final = frozenset({
    "airport", "avenue", "bar", "beach", "bridge", "cafe", "center", "centre", "church", "city", "club",
    "college", "grill", "hall", "hospital", "hotel", "inn", "international", "museum", "opera", "palace",
    "park", "plaza", "restaurant", "road", "salon", "school", "spa", "square", "stadium", "station",
    "street", "theater", "theatre", "tower", "university",
})  # fmt: skip
_TIMES: Final = frozenset({
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "january", "february",
    "march", "april", "june", "july", "august", "september", "october", "november", "december", "today",
    "tonight", "tomorrow", "yesterday", "now", "please",
})  # fmt: skip
_MAX_FAMILY_NAMES: Final = 3
_MAX_INITIALS: Final = 3
_MAX_PARTICLES: Final = 3
_FUNCTION_WORD: Final = 1_000_000
"""Frequency in the dictionary from which a word says little by itself: the, is, at, late."""
FREQUENT_WORD: Final = 20_000
"""Frequency from which a family name without a capital is more likely the word."""
_RARE_WORD: Final = 5_000
"""First names have frequencies below it, but for three."""
_UNUSUAL_WORD: Final = 200
"""A capitalized word of a lower frequency before a name belongs to the name."""
_MAX_NAME_WORD: Final = 500_000
"""A more frequent word without a capital is no family name: good, long, may."""


class NamePattern(StrEnum):
    """What a name was recognized by."""

    NAME = "name"
    """A first name that is nothing else."""
    DOUBTFUL = "doubtful"
    """A first name that may be a different word, with a family name."""
    TITLED = "titled"
    INTRODUCED = "introduced"
    """What follows "my name is"."""


class NameMention(NamedTuple):
    """A name in a text; offsets are code points, the end is exclusive."""

    start: int
    end: int
    pattern: NamePattern
    capitalized: bool
    """Whether capitals tell it from the words around it."""


NameFinder = Callable[[str], list[NameMention]]
"""Finds the names of persons in a text, in their order, without overlap."""


def build_name_finder(names: NameLexicon) -> NameFinder:
    """Build the function that finds the names of persons in a text.

    Its time grows with the length of the text.
    """
    ambiguous = frozenset(map(fold_name, names.ambiguous))
    certain = frozenset(map(fold_name, (*names.female, *names.male, *names.other))) - ambiguous
    family = frozenset(map(fold_name, names.family))
    triggers = certain | ambiguous | _TITLES | {"name"}
    first_letters = frozenset(run[0] for trigger in triggers if (run := _LETTERS.search(trigger)))

    def find(text: str) -> list[NameMention]:
        # A text in ASCII that has no run of letters that a trigger begins with has no trigger either.
        if text.isascii() and first_letters.isdisjoint(_LETTERS.findall(text.lower())):
            return []
        words = split_words(text)
        if not any(part in triggers for word in words for part in word.key.split("-")):
            return []
        return _NameScanner(words, text, certain, ambiguous, family).find_names()

    return find


class _NameScanner:
    """Reads the names in the words of a text, from left to right; each word is in one name at most."""

    def __init__(
        self,
        words: Sequence[NameWord],
        text: str,
        certain: frozenset[str],
        ambiguous: frozenset[str],
        family: frozenset[str],
    ) -> None:
        self._words = words
        self._has_lower = any(letter.islower() for letter in text)
        self._certain = certain
        self._ambiguous = ambiguous
        self._family = family

    def find_names(self) -> list[NameMention]:
        """Find all names."""
        return list(self._scan())

    def _scan(self) -> Iterator[NameMention]:
        index = free = 0
        while index < len(self._words):
            reading = self._read_introduction(index) or self._read_titled(index) or self._read_name(index)
            if reading is None:
                index += 1
                continue
            start, end, pattern = reading
            start = self._extend_left(start, free)
            capitalized = self._tells_case(self._words[start])
            if not self._is_place(start, end):
                yield NameMention(self._words[start].start, self._words[end - 1].end, pattern, capitalized)
            index = free = end

    def _read_introduction(self, index: int) -> tuple[int, int, NamePattern] | None:
        """Read what follows "my name is", if that begins at a word."""
        if self._words[index].key != "my":
            return None
        keys = [word.key for word in self._words[index : index + 3]]
        if keys[1:2] != ["name"]:
            return None
        start = index + 2 if self._words[index + 1].possessive else index + 3 if keys[2:] == ["is"] else None
        if start is None or start >= len(self._words) or not _SPACE.fullmatch(self._words[start].gap):
            return None
        end = self._read_any_name(start)
        return None if end is None else (start, end, NamePattern.INTRODUCED)

    def _read_titled(self, index: int) -> tuple[int, int, NamePattern] | None:
        """Read what follows a title, if a word is one."""
        word = self._words[index]
        if word.key not in _TITLES:
            return None
        titles = _TITLES if self._tells_case(word) else _PLAIN_TITLES
        if word.key not in titles or not self._is_joined(index + 1, after_dot=True):
            return None
        end = self._read_any_name(index + 1)
        return None if end is None else (index + 1, end, NamePattern.TITLED)

    def _read_any_name(self, start: int) -> int | None:
        """Return the end of a name that may begin with any first name, initial or family name."""
        word = self._words[start]
        if word.key in self._ambiguous or self._is_certain(word):
            return self._read_family(start)[0]
        end, count = self._read_family(start - 1, after=word if self._tells_case(word) else None)
        if count:
            return end
        is_name = not self._tells_case(word) and self._is_plain_family(start)
        return self._read_family(start)[0] if is_name else None

    def _read_name(self, index: int) -> tuple[int, int, NamePattern] | None:
        """Read a first name and the family names after it, if a word is a first name."""
        word = self._words[index]
        end, count = self._read_family(index) if self._is_first(word) else (index, 0)
        if self._is_certain(word):
            return index, max(end, index + 1), NamePattern.NAME
        if word.key in self._ambiguous and count and (self._tells_case(word) or self._is_rare_pair(index)):
            return index, end, NamePattern.DOUBTFUL
        return None

    def _is_rare_pair(self, index: int) -> bool:
        """Whether a doubtful first name and the word after it are both seldom other words: mark smith."""
        key = self._words[index + 1].key
        is_family = key in self._family or "'" in key or _SCOTTISH.fullmatch(key) is not None
        is_rare = key in PARTICLES or (is_family and count_in_dictionary(key) < _RARE_WORD)
        return is_rare and count_in_dictionary(self._words[index].key) < _MAX_NAME_WORD

    def _is_first(self, word: NameWord) -> bool:
        return word.key in self._ambiguous or self._is_certain(word)

    def _is_certain(self, word: NameWord) -> bool:
        """Whether a word, or a part of a word with hyphens, is a first name and nothing else."""
        parts = word.key.split("-")
        if not any(part in self._certain for part in parts):
            return False
        if self._tells_case(word):
            return True
        is_rare = [part in self._certain or count_in_dictionary(part) < _RARE_WORD for part in parts]
        return all(is_rare) and count_in_dictionary(word.key) < FREQUENT_WORD

    def _tells_case(self, word: NameWord) -> bool:
        """Whether a word's capitals say that it is a name."""
        return is_title(word.text) and (self._has_lower or not is_capitals(word.text))

    def _is_joined(self, index: int, after_dot: bool) -> bool:
        """Whether only a space, or the dot of an abbreviation, is before a word."""
        if index >= len(self._words):
            return False
        gap = self._words[index].gap
        return bool(_SPACE.fullmatch(gap) or (after_dot and _SPACE_AFTER_DOT.fullmatch(gap)))

    def _read_family(self, first: int, after: NameWord | None = None) -> tuple[int, int]:
        """Read the initials, particles and family names after a word; return the end, and the number of names.

        after: the word whose capitals count; by default the one at `first`.
        """
        with_case = self._tells_case(after or self._words[first])
        end, count, position = first + 1, 0, first + 1
        while count < _MAX_FAMILY_NAMES:
            position = self._skip_initials(position, with_case)
            position = self._skip_particles(position, with_case, has_family=count > 0)
            if not self._is_joined(position, self._is_abbreviated(position)):
                break
            if not self._is_family(position, first, with_case):
                break
            position += 1
            end, count = position, count + 1
            if self._words[end - 1].possessive:
                break
        return self._skip_suffix(end) if count else end, count

    def _is_abbreviated(self, position: int) -> bool:
        """Whether a dot after the word before may be part of it: an initial, a title, or St."""
        before = self._words[position - 1]
        return len(before.text) == 1 or before.key == "st" or before.key in _TITLES

    def _skip_initials(self, position: int, with_case: bool) -> int:
        """Return the position after initials; a name must follow them."""
        start = position
        while position - start < _MAX_INITIALS and self._is_joined(position, self._is_abbreviated(position)):
            word = self._words[position]
            has_dot = self._is_joined(position + 1, True) and "." in self._words[position + 1].gap
            is_word = word.key in ("a", "i") and not has_dot
            if len(word.text) != 1 or is_word or (with_case and not word.text.isupper()):
                break
            position += 1
        return position if position < len(self._words) else start

    def _skip_particles(self, position: int, with_case: bool, has_family: bool) -> int:
        """Return the position after particles, which begin in lower case or not; a name must follow them."""
        start = position
        while position - start < _MAX_PARTICLES and self._is_joined(position, self._is_abbreviated(position)):
            key = self._words[position].key
            may_follow = key in LATER_PARTICLES and (position > start or (has_family and key == "y"))
            if key not in PARTICLES and not may_follow:
                break
            position += 1
        following = self._words[position] if position < len(self._words) else None
        if following is None or not self._is_joined(position, self._is_abbreviated(position)):
            return start
        if position == start:
            return start
        is_named = is_title(following.text) if with_case else self._is_rare(following)
        return position if is_named or (with_case and self._is_plain_family(position)) else start

    def _is_rare(self, word: NameWord) -> bool:
        limit = FREQUENT_WORD if word.key in self._family else _RARE_WORD
        return count_in_dictionary(word.key) < limit

    def _is_family(self, position: int, first: int, with_case: bool) -> bool:
        word = self._words[position]
        if word.key in _TIMES or (word.key in _PLACES and with_case):
            return False
        before = self._words[position - 1]
        if position - 1 > first and before.key in PARTICLES | LATER_PARTICLES:
            return True  # `_skip_particles` has looked at the word.
        if with_case and is_title(word.text) and not (is_capitals(word.text) and self._is_acronym(word)):
            return self._is_capitalized_family(word)
        if not with_case and self._is_certain(word):
            return position + 1 < len(self._words) and self._is_plain_family(position + 1)
        return self._is_plain_family(position)

    def _is_acronym(self, word: NameWord) -> bool:
        """Whether a word in capitals, in a text with small letters, is more likely a different word."""
        return word.key not in self._family and (len(word.text) < 3 or count_in_dictionary(word.key) > 0)

    def _is_capitalized_family(self, word: NameWord) -> bool:
        if "'" in word.key:
            return _IRISH.fullmatch(word.key) is not None and word.key not in _NO_NAMES
        is_known = word.key in self._family or word.key in self._certain
        return word.key != "i" and (is_known or count_in_dictionary(word.key) < _FUNCTION_WORD)

    def _is_plain_family(self, position: int) -> bool:
        """Whether a word is a family name although no capital says so."""
        word = self._words[position]
        key = word.key
        if (
            not self._is_joined(position, self._is_abbreviated(position))
            or key in _TIMES | _NO_NAMES
            or len(key) < 2
        ):
            return False
        if "'" in key:
            return _IRISH.fullmatch(key) is not None
        frequency = count_in_dictionary(key)
        if "-" in key:
            return self._is_double_family(key) and frequency == 0
        if key in self._family:
            ends = self._is_last(position + 1)
            return frequency < FREQUENT_WORD or (ends and frequency < _MAX_NAME_WORD)
        is_scottish = _SCOTTISH.fullmatch(key) is not None and frequency < _RARE_WORD
        return is_scottish or (frequency == 0 and len(key) > 2)

    def _is_double_family(self, key: str) -> bool:
        parts = key.split("-")
        is_known = [part in self._family or count_in_dictionary(part) == 0 for part in parts]
        is_rare = [
            known or count_in_dictionary(part) < FREQUENT_WORD
            for known, part in zip(is_known, parts, strict=True)
        ]
        return parts[0] in PARTICLES or (any(is_known) and all(is_rare))

    def _is_last(self, position: int) -> bool:
        """Whether a name may end before a word: at the end, before a sign, a function word or a time."""
        if position >= len(self._words) or not _SPACE.fullmatch(self._words[position].gap):
            return True
        key = self._words[position].key
        return key in _TIMES or count_in_dictionary(key) >= _FUNCTION_WORD

    def _skip_suffix(self, end: int) -> int:
        if end >= len(self._words) or self._words[end - 1].possessive:
            return end
        word = self._words[end]
        return end + 1 if word.key in SUFFIXES and _BEFORE_SUFFIX.fullmatch(word.gap) else end

    def _extend_left(self, start: int, free: int) -> int:
        """Take in a capitalized word before a name that is in no dictionary: "Xanthippe Maria Kowalski"."""
        if start <= free or not self._is_joined(start, after_dot=False):
            return start
        word, before = self._words[start], self._words[start - 1]
        is_name = self._tells_case(word) and self._tells_case(before) and not before.possessive
        is_unknown = before.key.isalpha() and count_in_dictionary(before.key) < _UNUSUAL_WORD
        is_title = before.key in _TITLES or before.key in _BEFORE_PLACES
        return start - 1 if is_name and is_unknown and not is_title else start

    def _is_place(self, start: int, end: int) -> bool:
        """Whether the words around a name say that it is a place: San Jose, Diana Beach."""
        if start > 0 and self._words[start - 1].key in _BEFORE_PLACES:
            return self._is_joined(start, after_dot=True)
        following = self._words[end] if end < len(self._words) else None
        return (
            following is not None
            and self._tells_case(self._words[start])
            and is_title(following.text)
            and following.key in _PLACES
            and not self._words[end - 1].possessive
            and self._is_joined(end, after_dot=False)
        )
