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

from exemplars.core.arrays import sort_unique
from exemplars.dataset.shingle_hashes import hash_shingles
from exemplars.dataset.texts import compute_jaccard, make_shingles

PERMUTATIONS: Final = 128
"""Hash functions of a MinHash sketch."""
BANDS: Final = 32
"""32 bands of 4: of the pairs with a similarity of 0.8, 1 in 10^7 is missed; of 0.7, 1 in 7,000."""
SEED: Final = 1
_CHUNK: Final = 8192
"""Texts whose shingles are hashed at a time: those of a text take 2 KB, and `hash_shingles` takes 2^14 texts."""
_PAIRS: Final = 2**14
"""Pairs of a band that are compared at a time, but for those of one text."""
_BITS: Final = 256
"""Of a bitmap: texts have 50 to 100 shingles."""
_TO_BIT: Final = np.uint64(56)
"""The first eight bits of a hash are its bit in the bitmap."""
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)
"""2^64 by the golden ratio: spreads a number over all bits (Fibonacci hashing)."""
_SIZE: Final = np.uint64(2**32 - 1)
"""The bits of a rank that are the size of a text; the others are its key."""
_TO_KEY: Final = np.uint64(32)
"""The last half of a product has less of the bits that went in."""


class SimilarPair(NamedTuple):
    """Two texts that are nearly the same; `first < second`."""

    first: str
    second: str
    similarity: float
    """In [0, 1], rounded to 4 digits."""


class Sketches(NamedTuple):
    """What is kept of texts to find those that may be alike: 170 bytes a text."""

    bands: NDArray[np.uint32]
    """The key of each band of a text's MinHash: (texts, BANDS). Texts that are alike have one in common."""
    sizes: NDArray[np.int64]
    """The number of shingles of each text."""
    bitmaps: NDArray[np.uint64]
    """A bitmap of the hashes of each text's shingles: (texts, 4)."""


def find_similar_pairs(texts: Iterable[str], min_similarity: float) -> list[SimilarPair]:
    """Find all pairs of different texts whose Jaccard similarity is at least `min_similarity`, sorted.

    texts: normalized, in any order; repeated and empty texts are ignored.

    >>> find_similar_pairs(["play some jazz now", "play some jazz", "call mum"], 0.7)
    [SimilarPair(first='play some jazz', second='play some jazz now', similarity=0.7222)]
    """
    unique = sorted({text for text in texts if text})
    sketches = compute_sketches(unique)
    candidates = find_candidates(sketches.bands.T, sketches.sizes, sketches.bitmaps, min_similarity).tolist()
    pairs = [(unique[first], unique[second]) for first, second in candidates]
    similarities = compute_similarities(*zip(*pairs, strict=True)) if pairs else ()
    return [
        SimilarPair(first, second, round(similarity, 4))
        for (first, second), similarity in zip(pairs, similarities, strict=True)
        if similarity >= min_similarity
    ]


def compute_similarities(firsts: Iterable[str], seconds: Iterable[str]) -> Iterator[float]:
    """Compute the Jaccard similarity of pairs of texts, which are normalized."""
    shingle = functools.lru_cache(maxsize=2 * _CHUNK)(make_shingles)
    for first, second in zip(firsts, seconds, strict=True):
        yield compute_jaccard(shingle(first), shingle(second))


def find_candidates(
    bands: Iterable[NDArray[np.uint32]],
    sizes: NDArray[np.int64],
    bitmaps: NDArray[np.uint64],
    min_similarity: float,
) -> NDArray[np.int32]:
    """Find the pairs of texts that share a band and may be similar enough: their indexes, (pairs, 2).

    bands, sizes, bitmaps: as in `Sketches`, but for the keys of one band after the other.
    Each pair is there once, the lower index first, and they are sorted.
    Bands are sorted and joined one at a time, and what cannot be similar is dropped at once, so that memory is bounded
    by the texts of a band that are alike.
    """
    count = len(sizes)
    limits = _limit_differences(2 * int(sizes.max(initial=0)), min_similarity)
    found = [np.empty(0, np.int64)]
    for band in bands if count > 1 else ():
        order, followers = _sort_band(band, sizes, min_similarity)
        for places in _list_pairs(followers):
            first, second = _drop_different(order[places[0]], order[places[1]], sizes, bitmaps, limits)
            found.append(np.minimum(first, second) * count + np.maximum(first, second))
        found = [sort_unique(np.concatenate(found))]
    pairs = np.empty((len(found[0]), 2), np.int32)
    np.divmod(found[0], max(count, 1), pairs[:, 0], pairs[:, 1], casting="same_kind")
    return pairs


def compute_sketches(texts: Sequence[str]) -> Sketches:
    """Compute the MinHash sketches of texts, each by itself. texts: normalized; none is empty."""
    chunks = [_sketch_chunk(texts[start : start + _CHUNK]) for start in range(0, len(texts), _CHUNK)]
    return Sketches(*(np.concatenate(arrays) for arrays in zip(_make_no_sketches(), *chunks, strict=True)))


def _make_no_sketches() -> Sketches:
    return Sketches(
        np.empty((0, BANDS), np.uint32), np.empty(0, np.int64), np.empty((0, _BITS // 64), np.uint64)
    )


def _sketch_chunk(texts: Sequence[str]) -> Sketches:
    from rensa import RMinHash  # Imported only if there are texts to compare.

    hashes, sizes = hash_shingles(texts)
    offsets = np.append(0, np.cumsum(sizes)).astype(np.uint64)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, offsets, PERMUTATIONS, SEED)
    flat = np.fromiter(chain.from_iterable(matrix.to_rows()), np.uint32, len(sizes) * PERMUTATIONS)
    is_set = np.zeros((len(sizes), _BITS), np.bool_)
    is_set[np.repeat(np.arange(len(sizes)), sizes), hashes >> _TO_BIT] = True
    return Sketches(_key_bands(flat), sizes, np.packbits(is_set, axis=1).view(np.uint64))


def _key_bands(sketches: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Reduce each band of sketches, four numbers, to a key of 32 bits. Bands whose keys collide are candidates, too.

    sketches: those of texts, one after the other.
    """
    halves = sketches.view(np.uint64).reshape(-1, BANDS, 2)
    keys = (halves[:, :, 0] * _MIX ^ halves[:, :, 1]) * _MIX
    return (keys >> _TO_KEY).astype(np.uint32)


def _sort_band(
    keys: NDArray[np.uint32], sizes: NDArray[np.int64], min_similarity: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sort texts by their keys and sizes; return their order, and how many of those after each it is compared with.

    These are the texts with its key whose number of shingles does not rule out that they are similar.
    """
    ranks = keys.astype(np.uint64) << _TO_KEY | sizes.astype(np.uint64)
    order = np.argsort(ranks)
    ranks = ranks[order]
    largest = ((ranks & _SIZE) / min_similarity + 1).astype(np.uint64)  # 1: for what division rounds.
    largest |= ranks & ~_SIZE
    followers = np.searchsorted(ranks, largest, "right")
    followers -= np.arange(1, len(order) + 1)
    return order, followers


def _list_pairs(followers: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield the pairs of places and their followers, in parts of bounded length: first places, and second ones."""
    places = np.flatnonzero(followers)
    totals = np.cumsum(followers[places])
    cuts = np.searchsorted(totals, np.arange(_PAIRS, totals[-1] if len(totals) else 0, _PAIRS))
    for part in np.split(places, cuts):
        counts = followers[part]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        first = np.repeat(part, counts)
        yield first, first + 1 + within


def _limit_differences(largest: int, min_similarity: float) -> NDArray[np.int64]:
    """Return in how many bits the bitmaps of similar texts may differ, by the sum of the texts' sizes: up to `largest`.

    Each bit in which they differ is a shingle that only one of them has (Sandes, Teodoro, Melo 2020, Bitmap filter:
    speeding up exact set similarity joins).
    """
    totals = np.arange(largest + 1)
    shares = totals * (min_similarity / (1 + min_similarity))
    common = np.ceil(shares - 1e-6).astype(np.int64)  # Less than that, so that no rounding rules a pair out.
    limits: NDArray[np.int64] = totals - 2 * common
    return limits


def _drop_different(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    sizes: NDArray[np.int64],
    bitmaps: NDArray[np.uint64],
    limits: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Drop pairs of texts whose bitmaps differ in too many bits. limits: see `_limit_differences`."""
    allowed = limits[sizes[first] + sizes[second]]
    different = np.zeros(len(first), np.uint16)
    # Half of a bitmap rules most pairs out.
    for words in np.split(np.arange(bitmaps.shape[1]), 2):
        for word in words:
            different += np.bitwise_count(bitmaps[first, word] ^ bitmaps[second, word])
        is_close = different <= allowed
        first, second, allowed, different = (part[is_close] for part in (first, second, allowed, different))
    return first, second
