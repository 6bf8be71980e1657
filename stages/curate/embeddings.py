"""Texts of nearly the same meaning, by their embeddings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from stages.curate.duplicates import Pair

_BLOCK: Final = 2048


def semantic_pairs(texts: Sequence[str], vectors: Any, similarity: float) -> list[Pair]:
    """All pairs of different texts whose cosine similarity is at least `similarity`, sorted.

    vectors: unit vectors, a row a text; compared in blocks, so that the memory stays bounded.
    """
    return sorted(_pairs(texts, vectors, similarity))


def _pairs(texts: Sequence[str], vectors: Any, similarity: float) -> Iterator[Pair]:
    for start in range(0, len(texts), _BLOCK):
        cosines = vectors[start : start + _BLOCK] @ vectors.T
        for row, column in zip(*(cosines >= similarity).nonzero(), strict=True):
            one, other = texts[start + int(row)], texts[int(column)]
            if one < other:
                yield Pair(one, other, round(float(cosines[row, column]), 4))
