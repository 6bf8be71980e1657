"""Pairs of texts that are nearly the same, by the Jaccard similarity of their shingles.

Candidates are found by MinHash with banding (Broder 1997; Leskovec, Rajaraman, Ullman, Mining of Massive
Datasets, chapter 3). The exact similarity of each candidate is computed afterwards, so that no pair is an
estimate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from exemplars.dataset.texts import compute_jaccard, make_shingles

PERMUTATIONS: Final = 128
"""Hash functions of a MinHash sketch."""
BANDS: Final = 32
"""32 bands of 4: of the pairs with a similarity of 0.8, 1 in 10^7 is missed; of 0.7, 1 in 7,000."""
SEED: Final = 1


class SimilarPair(NamedTuple):
    """Two texts that are nearly the same; `first < second`."""

    first: str
    second: str
    similarity: float
    """In [0, 1], rounded to 4 digits."""


def find_similar_pairs(texts: Iterable[str], min_similarity: float) -> list[SimilarPair]:
    """Find all pairs of different texts whose Jaccard similarity is at least `min_similarity`, sorted.

    texts: normalized, in any order; repeated and empty texts are ignored.

    >>> find_similar_pairs(["play some jazz now", "play some jazz", "call mum"], 0.7)
    [SimilarPair(first='play some jazz', second='play some jazz now', similarity=0.7222)]
    """
    unique = sorted({text for text in texts if text})
    if len(unique) < 2:
        return []
    shingles = [make_shingles(text) for text in unique]
    pairs = []
    for first, second in find_candidates(shingles, min_similarity):
        similarity = compute_jaccard(shingles[first], shingles[second])
        if similarity >= min_similarity:
            pairs.append(SimilarPair(unique[first], unique[second], round(similarity, 4)))
    return sorted(pairs)


def find_candidates(shingles: Sequence[frozenset[str]], min_similarity: float) -> Iterator[tuple[int, int]]:
    """Yield the pairs of indexes that share a band and may be similar enough: each once, the lower index first.

    shingles: of each text; no set is empty.
    """
    from rensa import RMinHash, RMinHashLSH  # Imported only if there are texts to compare.

    sketches = RMinHash.from_token_sets(shingles, PERMUTATIONS, SEED)
    index = RMinHashLSH(min_similarity, PERMUTATIONS, BANDS)
    index.insert_pairs(list(enumerate(sketches)))
    sizes = [len(text_shingles) for text_shingles in shingles]
    for first, others in enumerate(index.query_all(sketches)):
        # The Jaccard similarity of two sets is never larger than the ratio of their sizes.
        smallest, largest = min_similarity * sizes[first], sizes[first] / min_similarity
        for second in others:
            if first < second and smallest <= sizes[second] <= largest:
                yield first, second
