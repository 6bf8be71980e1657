"""Pairs of texts with nearly the same meaning, by the cosine similarity of their embeddings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from exemplars.dataset.similar_pairs import SimilarPair

_BLOCK_ROWS: Final = 2048


def find_semantic_pairs(texts: Sequence[str], vectors: Any, min_similarity: float) -> list[SimilarPair]:
    """Find all pairs of different texts whose cosine similarity is at least `min_similarity`, sorted.

    vectors: a NumPy array of unit vectors, shape (texts, dimensions).
    """
    return sorted(_compare_blocks(texts, vectors, min_similarity))


def _compare_blocks(texts: Sequence[str], vectors: Any, min_similarity: float) -> Iterator[SimilarPair]:
    # In blocks, because the matrix of all similarities would not fit into memory.
    for start in range(0, len(texts), _BLOCK_ROWS):
        cosines = vectors[start : start + _BLOCK_ROWS] @ vectors.T
        for row, column in zip(*(cosines >= min_similarity).nonzero(), strict=True):
            first, second = texts[start + int(row)], texts[int(column)]
            if first < second:
                yield SimilarPair(first, second, round(float(cosines[row, column]), 4))
