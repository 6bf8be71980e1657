"""Slices: the rows that have a skill, a length, a form or a mention in common."""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple

from exemplars.core.records import Exemplar
from exemplars.core.reports import NO_SKILL
from exemplars.core.representativeness import Slice
from exemplars.core.slot_paths import generalize_path
from exemplars.core.tables import ROWS_PER_GROUP
from stages.curate.lexicons import Lexicons

Dimension = Callable[[Exemplar], Sequence[str]]
"""Returns the slices of one dimension that a row is in: at least one."""

DEMOGRAPHIC: Final = ("gender", "place", "age")
"""Dimensions of mentions. A row that mentions nobody is in the slice `NO_SLICE`."""
NO_SLICE: Final = "(none)"
_Z: Final = 1.959964
"""The 0.975 quantile of the normal distribution, for 95 % intervals."""
_LENGTHS: Final = ((1, 3), (4, 7), (8, 15), (16, 30))
"""First and last number of words of the slices of length."""
_MAX_FRAGMENT_WORDS: Final = 3
_WORD: Final = re.compile(r"\w+")
_QUESTION: Final = re.compile(
    r"^(?:(?:and|so|ok|okay|hi|hello|hey)[ ,]+)*(?:who|what|when|where|which|why|how|is|are|am|was|were|do|does|did"
    r"|can|could|would|will|shall|should|may|have|has|any)\b"
)
_WISH: Final = re.compile(
    r"\b(?:i|we)(?:'d| would)? (?:want|need|like|love|wish|am looking|'m looking)\b|\bi'd like\b"
)


class SliceCounts(NamedTuple):
    """The rows of slices."""

    rows: int
    skills: Counter[str]
    """The rows of each skill."""
    slices: Counter[tuple[str, str]]
    """By dimension and slice."""
    mentions: Counter[tuple[str, str, str]]
    """The rows with a mention, by dimension of `DEMOGRAPHIC`, slice and skill."""


def count_slices(exemplars: Sequence[Exemplar], lexicons: Lexicons) -> SliceCounts:
    """Count the rows of every slice of every dimension."""
    slices: Counter[tuple[str, str]] = Counter()
    mentions: Counter[tuple[str, str, str]] = Counter()
    for dimension, find_slices in build_dimensions(lexicons).items():
        found = list(map(find_slices, exemplars))
        for name, rows in Counter(chain.from_iterable(found)).items():
            slices[dimension, name] = rows
        if dimension in DEMOGRAPHIC:
            for row, names in zip(exemplars, found, strict=True):
                mentions.update(
                    (dimension, name, row.skill or NO_SKILL) for name in names if name != NO_SLICE
                )
    skills = Counter(row.skill for row in exemplars if row.skill is not None)
    return SliceCounts(len(exemplars), skills, slices, mentions)


def join_slice_counts(first: SliceCounts, second: SliceCounts) -> SliceCounts:
    """Add the counts of two lists of rows."""
    return SliceCounts(
        first.rows + second.rows,
        first.skills + second.skills,
        first.slices + second.slices,
        first.mentions + second.mentions,
    )


def measure_slices(counts: SliceCounts) -> list[Slice]:
    """List every slice of every dimension that has a row; sorted by dimension and slice."""
    total = counts.rows
    return [
        Slice(dimension, name, rows, round(rows / total, 6), *_compute_interval(rows, total))
        for (dimension, name), rows in sorted(counts.slices.items())
    ]


def build_dimensions(lexicons: Lexicons) -> dict[str, Dimension]:
    """Build the function that finds the slices of a row, for each dimension."""
    return {
        "skill": lambda row: (row.skill or NO_SKILL,),
        "service": lambda row: (row.service or NO_SLICE,),
        "pattern": lambda row: (_format_pattern(row) or NO_SLICE,),
        "length": lambda row: (classify_length(len(row.utterance.split())),),
        "form": lambda row: (classify_form(row.utterance),),
        "gender": _build_mention_finder(_list_gender_words(lexicons)),
        "place": _build_mention_finder(lexicons.places.slices),
        "age": _build_mention_finder(lexicons.ages.slices),
    }


def _format_pattern(exemplar: Exemplar) -> str:
    """Format which parameters a row fills, each once."""
    return ", ".join(sorted({generalize_path(argument.slot) for argument in exemplar.arguments}))


def classify_length(words: int) -> str:
    """Classify the length of a text in words.

    >>> classify_length(5)
    '04-07 words'
    """
    for first, last in _LENGTHS:
        if words <= last:
            return f"{first:02}-{last:02} words"
    return f"{_LENGTHS[-1][1] + 1}+ words"


def classify_form(text: str) -> str:
    """Classify how a text asks: `question`, `wish`, `fragment` (up to three words), or else `statement`.

    >>> classify_form("is it raining")
    'question'
    >>> classify_form("I'd like some jazz")
    'wish'
    """
    lower = text.lower().strip()
    if lower.endswith("?") or _QUESTION.match(lower):
        return "question"
    if _WISH.search(lower):
        return "wish"
    return "fragment" if len(lower.split()) <= _MAX_FRAGMENT_WORDS else "statement"


def _list_gender_words(lexicons: Lexicons) -> dict[str, list[str]]:
    """Return the pronouns and the unambiguous first names of each gender, in lower case."""
    ambiguous = {name.lower() for name in lexicons.names.ambiguous}
    names = {"female": lexicons.names.female, "male": lexicons.names.male}
    return {
        gender: [
            *pronouns,
            *(name.lower() for name in names.get(gender, ()) if name.lower() not in ambiguous),
        ]
        for gender, pronouns in lexicons.pronouns.slices.items()
    }


def _build_mention_finder(slices: Mapping[str, Iterable[str]]) -> Dimension:
    slice_names = {word: name for name, words in slices.items() for word in words}
    if not slice_names:
        return lambda _: (NO_SLICE,)
    longest_first = sorted(slice_names, key=lambda word: (-len(word), word))
    # Whole words only; a word with a possessive ending is still found.
    pattern = re.compile(r"\b(?:" + "|".join(map(re.escape, longest_first)) + r")\b")
    # A text without the first word of any mention, as most texts are, has none.
    first_words = frozenset(match[0] for word in slice_names if (match := _WORD.search(word)))

    def find_mentions(exemplar: Exemplar) -> Sequence[str]:
        text = exemplar.utterance.lower()
        if first_words.isdisjoint(_list_words(text)):
            return (NO_SLICE,)
        names = {slice_names[word] for word in pattern.findall(text)}
        return sorted(names) or (NO_SLICE,)

    return find_mentions


@functools.lru_cache(maxsize=ROWS_PER_GROUP)
def _list_words(text: str) -> frozenset[str]:
    """List the different words of a text, once for all dimensions."""
    return frozenset(_WORD.findall(text))


def _compute_interval(rows: int, total: int) -> tuple[float, float]:
    """Compute the 95 % interval of a share (Wilson 1927)."""
    share, z2 = rows / total, _Z * _Z
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = _Z * math.sqrt(share * (1 - share) / total + z2 / (4 * total * total)) / (1 + z2 / total)
    return round(max(0.0, middle - half), 6), round(min(1.0, middle + half), 6)
