"""The train rows whose words are most like those of a text, without a model."""

from __future__ import annotations

import math
from array import array
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from exemplars.dataset.texts import list_words


class NearRow(NamedTuple):
    """A row, and how similar it is."""

    id: str
    similarity: float
    """The cosine of the two sets of words, each weighted by its inverse document frequency; in [0, 1]."""


class NearestRows:
    """An index of the words of texts: four bytes for each word of each text.

    >>> NearestRows(["a", "b"], ["ring my mum", "play some jazz"]).find("ring mum", 1, ())
    [NearRow(id='a', similarity=0.8165)]
    """

    def __init__(self, ids: Sequence[str], texts: Sequence[str]) -> None:
        """ids, texts: of equal length."""
        self._ids = ids
        self._postings: dict[str, array[int]] = defaultdict(lambda: array("I"))
        for number, text in enumerate(texts):
            for word in set(list_words(text)):
                self._postings[word].append(number)
        squares = array("f", bytes(4 * len(ids)))
        for word, numbers in self._postings.items():
            weight = self._weigh(word) ** 2
            for number in numbers:
                squares[number] += weight
        self._squares = squares

    def find(self, text: str, count: int, without: Sequence[str]) -> list[NearRow]:
        """Find the most similar rows, best first; ties by their order. without: ids that are left out."""
        words = {word for word in list_words(text) if word in self._postings}
        scores: dict[int, float] = defaultdict(float)
        for word in words:
            weight = self._weigh(word) ** 2
            for number in self._postings[word]:
                scores[number] += weight
        unseen = len(set(list_words(text)) - words)
        norm = math.sqrt(sum(self._weigh(word) ** 2 for word in words) + unseen * self._weigh("") ** 2)
        similar = sorted(
            (
                (score / (norm * math.sqrt(self._squares[number])), -number)
                for number, score in scores.items()
            ),
            reverse=True,
        )
        found = (
            NearRow(self._ids[-number], round(similarity, 4))
            for similarity, number in similar[: count + len(without)]
        )
        return [row for row in found if row.id not in without][:count]

    def _weigh(self, word: str) -> float:
        """Return the inverse document frequency of a word."""
        numbers = self._postings.get(word)
        return math.log(1 + len(self._ids) / (1 + (0 if numbers is None else len(numbers))))
