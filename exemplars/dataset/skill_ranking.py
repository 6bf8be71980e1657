"""Skills ranked by the words that a question shares with exemplars and descriptions.

A baseline without a model: the same on every processor, and fast enough for a stage that prepares data.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from exemplars.core.records import Turn
from exemplars.dataset.catalog import Skill
from exemplars.dataset.texts import list_words

_TERM_SATURATION: Final = 1.2
_LENGTH_WEIGHT: Final = 0.75
"""k1 and b of BM25, at the values that Robertson and Zaragoza recommend (2009, section 3.4)."""
_CONTEXT_WEIGHTS: Final = (0.3, 0.15)
"""Weights of the words of the last turn before the utterance, and of the turn before that."""
_BEST_ENTRIES: Final = 3
"""The score of a skill is the sum of those of its best entries, so that a single odd exemplar does not decide."""
_DIGITS: Final = 4
"""Scores are rounded before they are compared: the logarithm differs in its last digits between systems."""


class RankingEntry(NamedTuple):
    """The words of a text, and the skills that it speaks for."""

    terms: Mapping[str, float]
    """From `count_terms`."""
    skills: tuple[str, ...]
    group: str | None = None
    """A question of the same group does not count this entry."""


def count_terms(utterance: str, context: Sequence[Turn] = ()) -> Counter[str]:
    """Count the words of an utterance, and, at lower weights, those of the last turns before it."""
    terms: Counter[str] = Counter(list_words(utterance))
    for weight, turn in zip(_CONTEXT_WEIGHTS, reversed(context), strict=False):
        for word in list_words(turn.utterance):
            terms[word] += weight  # type: ignore[assignment]
    return terms


def describe_skills(skills: Iterable[Skill]) -> Iterator[RankingEntry]:
    """Yield an entry for each skill: its name, its description and the names of its parameters."""
    for skill in skills:
        names = [skill.name, *(parameter.name for parameter in skill.parameters)]
        text = " ".join([skill.description, *(name.replace("_", " ") for name in names)])
        yield RankingEntry(count_terms(text), (skill.name,))


class SkillRanking:
    """Ranks skills by BM25 (Robertson and Zaragoza 2009) over entries.

    >>> texts = {"call": "ring mum", "timer": "ten minutes"}
    >>> entries = [RankingEntry(count_terms(text), (skill,)) for skill, text in texts.items()]
    >>> SkillRanking(entries, ["call", "light", "timer"]).rank(count_terms("ring me in ten minutes"))
    ['timer', 'call', 'light']
    """

    def __init__(self, entries: Sequence[RankingEntry], names: Iterable[str]) -> None:
        """names: those of all skills that are ranked; skills without a word in common come last, by name."""
        self._names = sorted(names)
        self._entries = entries
        self._postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        lengths = [sum(entry.terms.values()) for entry in entries]
        mean = sum(lengths) / max(1, len(lengths)) or 1.0
        for number, (entry, length) in enumerate(zip(entries, lengths, strict=True)):
            penalty = _TERM_SATURATION * (1 - _LENGTH_WEIGHT + _LENGTH_WEIGHT * length / mean)
            for term, count in entry.terms.items():
                self._postings[term].append((number, count * (_TERM_SATURATION + 1) / (count + penalty)))

    def rank(self, terms: Mapping[str, float], group: str | None = None) -> list[str]:
        """Rank all skills for a question, best first; ties by name.

        terms: the question's, from `count_terms`. group: entries of this group do not count.
        """
        scores: dict[str, list[float]] = defaultdict(list)
        for number, score in self._score_entries(terms).items():
            entry = self._entries[number]
            if entry.group is None or entry.group != group:
                for skill in entry.skills:
                    scores[skill].append(score)
        best = {
            skill: round(sum(heapq.nlargest(_BEST_ENTRIES, found)), _DIGITS)
            for skill, found in scores.items()
        }
        return sorted(self._names, key=lambda name: (-best.get(name, 0.0), name))

    def find_entries(self, terms: Mapping[str, float], group: str | None = None) -> list[int]:
        """Find the entries that have a word in common with a question, by their numbers, best first.

        terms, group: see `rank`.
        """
        scores = {
            number: round(score, _DIGITS)
            for number, score in self._score_entries(terms).items()
            if self._entries[number].group is None or self._entries[number].group != group
        }
        return sorted(scores, key=lambda number: (-scores[number], number))

    def _score_entries(self, terms: Mapping[str, float]) -> Mapping[int, float]:
        """Score the entries that have a term of the question, by their numbers."""
        scores: dict[int, float] = defaultdict(float)
        for term, weight in terms.items():
            postings = self._postings.get(term, [])
            rarity = math.log(1 + (len(self._entries) - len(postings) + 0.5) / (len(postings) + 0.5))
            for number, frequency in postings:
                scores[number] += weight * rarity * frequency
        return scores
