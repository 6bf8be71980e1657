"""The different texts of all rows: which of them are nearly the same."""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from exemplars.core.workers import map_shards
from exemplars.dataset.similar_pairs import SimilarPair, find_candidates, make_sketch_space, verify_pairs
from stages.curate.facts import ShardTexts

_PAIRS: Final = 20_000
"""Pairs that a worker verifies at a time: they take a second."""


class SimilarTexts:
    """Texts by their hashes: see `RowKeys`."""

    def __init__(self, parts: list[ShardTexts], workers: int = 1) -> None:
        """parts: of all shards; a text may be in several. workers: processes that verify pairs.

        The list of parts is emptied, so that no sketch is in memory twice.
        """
        keys = np.concatenate([np.empty(0, np.uint64), *(part.keys for part in parts)])
        self._keys, first = np.unique(keys, return_index=True)
        texts = pa.chunked_array([part.texts for part in parts], pa.large_string())
        self._texts = texts.take(pa.array(first, pa.int64())).combine_chunks()
        self._workers = workers
        self._sketches = make_sketch_space(len(first))
        places = np.full(len(keys), -1, np.int64)
        places[first] = np.arange(len(first))
        end = len(keys)
        while parts:
            part = parts.pop()
            own = places[end - len(part.keys) : end]
            self._sketches.put(own[own >= 0], part.sketches.take(own >= 0))
            end -= len(part.keys)

    def extend(self, part: ShardTexts) -> SimilarTexts:
        """Return these texts and others."""
        return SimilarTexts([ShardTexts(self._keys, self._texts, self._sketches), part], self._workers)

    def read(self, keys: NDArray[np.uint64]) -> list[str]:
        """Read texts by their hashes; 0 is the empty text."""
        places = np.searchsorted(self._keys, keys)
        texts = iter(self._texts.take(pa.array(places[keys != 0], pa.int64())).to_pylist())
        return [next(texts) if key else "" for key in keys.tolist()]

    def find_pairs(self, keys: NDArray[np.uint64], min_similarity: float) -> list[SimilarPair]:
        """Find all pairs of different texts whose similarity is at least `min_similarity`, sorted.

        keys: the hashes of the texts that are compared, which may be repeated.
        """
        unique = np.unique(keys[keys != 0])
        candidates = find_candidates(self._sketches, min_similarity, np.searchsorted(self._keys, unique))
        shards = [
            list(zip(self.read(unique[part[:, 0]]), self.read(unique[part[:, 1]]), strict=True))
            for part in (candidates[start : start + _PAIRS] for start in range(0, len(candidates), _PAIRS))
        ]
        work = partial(verify_pairs, min_similarity=min_similarity)
        # A second of work is not worth a process, and still less a connection to a cluster.
        verified = (
            map_shards(work, shards, self._workers, "near duplicates", lambda _: "near duplicates")
            if len(shards) > 1
            else map(work, shards)
        )
        return sorted(pair for pairs in verified for pair in pairs)
