"""Pairs of texts that are nearly the same, by the Jaccard similarity of their shingles.

Candidates are found by MinHash with banding (Broder 1997; Leskovec, Rajaraman, Ullman, Mining of Massive
Datasets, chapter 3). The exact similarity of each candidate is computed afterwards, so that no pair is an
estimate.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exemplars.dataset.shingle_hashes import hash_shingles
from exemplars.dataset.texts import compute_jaccard, make_shingles

PERMUTATIONS: Final = 128
"""Hash functions of a MinHash sketch."""
BANDS: Final = 32
"""32 bands of 4: of the pairs with a similarity of 0.8, 1 in 10^7 is missed; of 0.7, 1 in 7,000."""
SEED: Final = 1
_CHUNK: Final = 8192
"""Texts whose shingles are hashed at a time: those of a text take 2 KB, and `hash_shingles` takes 2^14 texts."""
_PAIRS: Final = 2**20
"""Pairs of a band that are compared at a time, but for those of one text."""
_BITS: Final = 256
"""Of a bitmap: texts have 50 to 100 shingles."""
_TO_BIT: Final = np.uint64(56)
"""The first eight bits of a hash are its bit in the bitmap."""
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)
"""2^64 by the golden ratio: spreads the first half of a band over all bits (Fibonacci hashing)."""


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
    shingle = functools.lru_cache(maxsize=2 * _CHUNK)(make_shingles)
    pairs = []
    for first, second in find_candidates(unique, min_similarity):
        similarity = compute_jaccard(shingle(unique[first]), shingle(unique[second]))
        if similarity >= min_similarity:
            pairs.append(SimilarPair(unique[first], unique[second], round(similarity, 4)))
    return sorted(pairs)


def find_candidates(texts: Sequence[str], min_similarity: float) -> list[tuple[int, int]]:
    """Find the pairs of indexes that share a band and may be similar enough: each once, the lower index first, sorted.

    texts: none is empty. Bands are sorted and joined one at a time, and what cannot be similar is dropped at
    once, so that memory is bounded by the texts of a band that are alike.
    """
    sketches, sizes, bitmaps = _sketch_texts(texts)
    found = [np.empty(0, np.int64)]
    for band in np.split(sketches, BANDS, axis=1):
        for first, second in _join_band(band):
            may_match = _bound_similarity(first, second, sizes, bitmaps) >= min_similarity
            found.append(first[may_match] * len(texts) + second[may_match])
        found = [np.unique(np.concatenate(found))]
    return [divmod(code, len(texts)) for code in found[0].tolist()]


def _sketch_texts(texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.uint64]]:
    """Return of each text its MinHash, the number of its shingles, and a bitmap of their hashes."""
    from rensa import RMinHash  # Imported only if there are texts to compare.

    parts = []
    for start in range(0, len(texts), _CHUNK):
        hashes, sizes = hash_shingles(texts[start : start + _CHUNK])
        offsets = np.append(0, np.cumsum(sizes)).astype(np.uint64)
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, offsets, PERMUTATIONS, SEED)
        flat = np.fromiter(chain.from_iterable(matrix.to_rows()), np.uint32, len(sizes) * PERMUTATIONS)
        is_set = np.zeros((len(sizes), _BITS), np.bool_)
        is_set[np.repeat(np.arange(len(sizes)), sizes), hashes >> _TO_BIT] = True
        bitmaps = np.packbits(is_set, axis=1).view(np.uint64)
        parts.append((flat.reshape(-1, PERMUTATIONS), sizes, bitmaps))
    sketches, sizes, bitmaps = (np.concatenate(part) for part in zip(*parts, strict=True))
    return sketches, sizes, bitmaps


def _join_band(band: NDArray[np.uint32]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield the pairs of rows that are equal, in parts of bounded length: the lower indexes, and the higher ones."""
    halves = np.ascontiguousarray(band).view(np.uint64)
    keys = halves[:, 0] * _MIX ^ halves[:, 1]  # Rows that collide here are candidates that are no pairs.
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(keys[order]) != 0])
    ends = np.repeat(np.r_[starts[1:], len(order)], np.diff(np.r_[starts, len(order)]))
    followers = ends - np.arange(len(order)) - 1
    totals = np.cumsum(followers)
    cuts = np.searchsorted(totals, np.arange(_PAIRS, totals[-1], _PAIRS))
    for places in np.split(np.arange(len(order)), cuts):
        counts = followers[places]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        first = np.repeat(places, counts)
        yield order[first], order[first + 1 + within]  # The sort is stable: the lower index is first.


def _bound_similarity(
    first: NDArray[np.int64], second: NDArray[np.int64], sizes: NDArray[np.int64], bitmaps: NDArray[np.uint64]
) -> NDArray[np.float64]:
    """Return a similarity for each pair that its texts cannot exceed.

    What two sets have in common is at most the smaller set. Each bit in which bitmaps differ is a shingle that only
    one of them has (Sandes, Teodoro, Melo 2020, Bitmap filter: speeding up exact set similarity joins).
    """
    totals = sizes[first] + sizes[second]
    differences = np.bitwise_count(bitmaps[first] ^ bitmaps[second]).sum(axis=1, dtype=np.int64)
    common = np.minimum(np.minimum(sizes[first], sizes[second]), (totals - differences) // 2)
    bound: NDArray[np.float64] = common / (totals - common)
    return bound
