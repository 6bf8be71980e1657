"""Arrays of keys: joined to one key, and looked up."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]

_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
"""2^64 by the golden ratio."""
_FACTORS: Final = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def join_keys(*columns: NDArray[Any]) -> Keys:
    """Hash the values of several columns together, row by row; their order counts."""
    joined = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        joined = mix_bits(joined * _STEP + column.astype(np.uint64))
    return joined


def mix_bits(values: NDArray[Any]) -> Keys:
    """Mix the bits of each number, so that sums of different numbers differ.

    It is the generator SplitMix64 (Steele, Lea, Flood 2014) with the numbers as its states.
    """
    keys = values.astype(np.uint64) + _STEP
    keys = (keys ^ (keys >> np.uint64(30))) * _FACTORS[0]
    keys = (keys ^ (keys >> np.uint64(27))) * _FACTORS[1]
    return keys ^ (keys >> np.uint64(31))


def find_places(keys: NDArray[Any], wanted: NDArray[Any]) -> NDArray[np.int64]:
    """Find each wanted key among keys; -1: it is not there. keys: in ascending order, each once."""
    if not len(keys):
        return np.full(len(wanted), -1)
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, places, -1)
