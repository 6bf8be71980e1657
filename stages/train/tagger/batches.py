"""Batches of rows of about the same length, in an order that the seed and the epoch determine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from exemplars.core.digests import hash_to_fraction

_BUCKET_BATCHES: Final = 32
"""Rows are sorted by length within buckets of this number of full batches."""


def build_batches(
    lengths: Sequence[int], batch_rows: int, batch_tokens: int, seed: int, epoch: int
) -> list[list[int]]:
    """Build the batches of an epoch: lists of places, each row once.

    lengths: of the rows, in tokens. batch_rows: the rows of a batch, at most. batch_tokens: the tokens of a batch with
    its padding, at most, except for a batch of a single longer row.

    >>> [sorted(batch) for batch in build_batches([4, 9, 4, 9], 8, 18, 1, 0)]
    [[1, 3], [0, 2]]
    """
    salt = f"batches {seed} {epoch}"
    shuffled = sorted(range(len(lengths)), key=lambda place: hash_to_fraction(str(place), salt))
    bucket_rows = _BUCKET_BATCHES * batch_rows
    batches: list[list[int]] = []
    for start in range(0, len(shuffled), bucket_rows):
        bucket = sorted(shuffled[start : start + bucket_rows], key=lambda place: lengths[place])
        batches += _cut_bucket(bucket, lengths, batch_rows, batch_tokens)
    return sorted(batches, key=lambda batch: hash_to_fraction(str(batch[0]), f"order {salt}"))


def _cut_bucket(
    bucket: Sequence[int], lengths: Sequence[int], batch_rows: int, batch_tokens: int
) -> list[list[int]]:
    """Cut rows, sorted by length, into batches."""
    batches: list[list[int]] = [[]]
    for place in bucket:
        padded = lengths[place] * (len(batches[-1]) + 1)
        if batches[-1] and (len(batches[-1]) == batch_rows or padded > batch_tokens):
            batches.append([])
        batches[-1].append(place)
    return [batch for batch in batches if batch]
