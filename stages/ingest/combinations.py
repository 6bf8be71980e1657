"""Sampling of the ways to fill a template: reproducible, and without listing all of them."""

from __future__ import annotations

import hashlib
import math


def sample_combinations(counts: list[int], limit: int, seed: str) -> list[tuple[int, ...]]:
    """Sample at most `limit` of all ways to choose one of `counts[i]` for each i, without repetition.

    The sample depends on `seed` alone. The product is never enumerated.

    >>> sample_combinations([2, 3], 2, "seed")
    [(0, 0), (1, 0)]
    >>> len(sample_combinations([2, 3], 100, "seed"))
    6
    """
    total = math.prod(counts)
    if total == 0:
        return []
    # Number all ways from 0, as in a number system with the bases `counts`. A walk over these numbers in
    # steps that share no factor with `total` visits each of them once before it repeats, and is spread out.
    step = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big") % total or 1
    while math.gcd(step, total) > 1:
        step += 1
    sample = []
    for position in range(min(limit, total)):
        number, combination = (position * step) % total, []
        for count in counts:
            number, choice = divmod(number, count)
            combination.append(choice)
        sample.append(tuple(combination))
    return sample
