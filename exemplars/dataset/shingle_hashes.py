"""Hashes of the shingles of many texts at once: what `make_shingles` returns, as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exemplars.dataset.texts import SHINGLE_CHARACTERS

_BASE: Final = np.uint64(0x5851F42D4C957F2D)
"""Odd, so that it has an inverse: the multiplier of Knuth's MMIX generator."""
_INVERSE: Final = np.uint64(pow(0x5851F42D4C957F2D, -1, 2**64))
_WORDS: Final = np.uint64(0x9E3779B97F4A7C15)
"""Added to pairs of words, so that a run of the same characters has another hash."""
_MIXERS: Final = (np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53))
"""Those of MurmurHash3's finalizer."""
_HALF: Final = np.uint64(33)
_SPACE: Final = 32


def hash_shingles(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Hash the shingles of texts; return all hashes, text by text, and the number of different ones of each text.

    texts: as `make_similarity_text` returns them; none is empty, and there are at most 2^14. Hashes are the same in
    every process. 50 bits of a hash count: of 10^11 texts with 100 shingles, one has two with the same hash.
    """
    text = "".join(texts)
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    ends = np.cumsum(lengths)
    sums, inverses = _sum_codes(codes)

    # All runs of characters, or the whole text if it is shorter.
    runs = np.maximum(1, lengths - SHINGLE_CHARACTERS + 1)
    run_rows = np.repeat(np.arange(len(texts)), runs)
    run_starts = np.arange(len(run_rows)) + np.repeat(ends - lengths - np.cumsum(runs) + runs, runs)
    run_ends = np.minimum(run_starts + SHINGLE_CHARACTERS, ends[run_rows])

    # All runs of two words, or the only word: from the start of a word to the end of the next.
    is_border = np.zeros(len(codes) + 1, np.bool_)
    is_border[ends] = True
    word_ends = np.flatnonzero(is_border[:-1] | (codes == _SPACE))
    word_ends = np.append(word_ends, len(codes))
    word_starts = np.append(0, word_ends[:-1] + (codes[word_ends[:-1]] == _SPACE))
    word_rows = np.searchsorted(ends, word_starts, side="right")
    is_last = np.append(np.diff(word_rows) != 0, True)
    is_only = is_last & np.append(True, is_last[:-1])
    first = np.flatnonzero(~is_last | is_only)
    pair_ends = word_ends[np.where(is_last, np.arange(len(word_ends)), np.arange(len(word_ends)) + 1)[first]]

    hashes = np.concatenate(
        [
            (sums[run_ends] - sums[run_starts]) * inverses[run_starts],
            (sums[pair_ends] - sums[word_starts[first]]) * inverses[word_starts[first]] ^ _WORDS,
        ]
    )
    return _sort_unique(_mix(hashes), np.concatenate([run_rows, word_rows[first]]), len(texts))


def _sum_codes(codes: NDArray[np.uint32]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return sums from which the hash of each run follows, and what its place multiplies it by.

    The hash of a run is the polynomial of its code points, modulo 2^64 (Karp and Rabin 1987).
    """
    powers = np.full(len(codes), _BASE)
    powers[:1] = 1
    inverses = np.full(len(codes), _INVERSE)
    inverses[:1] = 1
    powers, inverses = np.multiply.accumulate(powers), np.multiply.accumulate(inverses)
    return np.append(np.uint64(0), np.cumsum((codes.astype(np.uint64) + np.uint64(1)) * powers)), inverses


def _mix(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    for mixer in _MIXERS:
        hashes = (hashes ^ hashes >> _HALF) * mixer
    return hashes ^ hashes >> _HALF


def _sort_unique(
    hashes: NDArray[np.uint64], rows: NDArray[np.int64], count: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Sort hashes by their rows, drop those that a row has twice, and count the rest of each row."""
    row_bits = np.uint64(14)
    keys = np.sort(rows.astype(np.uint64) << (np.uint64(64) - row_bits) | hashes >> row_bits)
    keys = keys[np.append(True, np.diff(keys) != 0)]
    sizes = np.bincount((keys >> (np.uint64(64) - row_bits)).astype(np.int64), minlength=count)
    return keys << row_bits, sizes
