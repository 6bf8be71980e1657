"""The different texts of all rows: which of them are nearly the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from exemplars.core.schemas import PAIR_SCHEMA
from exemplars.core.table_streams import TableSpool
from exemplars.core.workers import map_shards
from exemplars.dataset.similar_pairs import compute_similarities, find_candidates
from exemplars.dataset.sketch_file import SketchFile
from stages.curate.facts import ShardTexts
from stages.curate.key_arrays import Keys

_PAIRS: Final = 20_000
"""Pairs that a worker verifies at a time: they take a second."""


class KeyPairs(NamedTuple):
    """Pairs of texts that are nearly the same, by their hashes; sorted by the texts, and so is each pair."""

    firsts: Keys
    seconds: Keys
    similarities: NDArray[np.float64]
    """In [0, 1], rounded to 4 digits."""

    def select(self, chosen: NDArray[np.bool_]) -> KeyPairs:
        """Select pairs by a mask."""
        return KeyPairs(self.firsts[chosen], self.seconds[chosen], self.similarities[chosen])


class SimilarTexts:
    """Texts by their hashes (see `RowKeys`): 16 bytes a text, since texts and sketches are on disk."""

    def __init__(self, texts: TableSpool, sketches: SketchFile, workers: int = 1) -> None:
        """texts, sketches: empty; see `Scratch`. workers: processes that verify pairs."""
        self._texts = texts
        self._sketches = sketches
        self._workers = workers
        self._parts: list[Keys] = []
        self._keys = np.empty(0, np.uint64)
        self._rows = np.empty(0, np.int64)
        """The first row of `texts` that has each text."""

    def append(self, part: ShardTexts) -> None:
        """Add texts, some of which may be there already; they count after the next `index`."""
        self._texts.append(pa.table([part.texts], ["text"]))
        self._sketches.append(part.sketches)
        self._parts.append(part.keys)

    def index(self) -> None:
        """Look through the texts that were added, so that they can be found."""
        keys = np.concatenate([np.empty(0, np.uint64), *self._parts])
        self._keys, self._rows = np.unique(keys, return_index=True)

    def read(self, keys: Keys) -> pa.Array:
        """Read texts by their hashes."""
        unique, places = np.unique(self._find(keys), return_inverse=True)
        return self._texts.take(unique).column("text").combine_chunks().take(pa.array(places))

    def _find(self, keys: Keys) -> NDArray[np.int64]:
        return self._rows[np.searchsorted(self._keys, keys)]

    def sort(self, keys: Keys) -> NDArray[np.int64]:
        """Return the places of hashes in the order of their texts."""
        places: NDArray[np.int64] = pc.sort_indices(self.read(keys)).to_numpy().astype(np.int64)
        return places

    def find_pairs(self, keys: Keys, min_similarity: float) -> KeyPairs:
        """Find all pairs of different texts whose similarity is at least `min_similarity`.

        keys: the hashes of the texts that are compared, which may be repeated; 0 is the empty text.
        """
        unique = np.unique(keys[keys != 0])
        rows, sketches = self._find(unique), self._sketches
        bands = (band[rows] for band in sketches.read_bands())
        sizes, bitmaps = sketches.read_sizes()[rows], sketches.read_bitmaps()[rows]
        candidates = find_candidates(bands, sizes, bitmaps, min_similarity)
        shards = _PairShards(self, unique[candidates])
        # A second of work is not worth a process, and still less a connection to a cluster.
        computed = (
            map_shards(_compare_texts, shards, self._workers, "near duplicates", lambda _: "near duplicates")
            if len(shards) > 1
            else map(_compare_texts, shards)
        )
        similarities = np.concatenate([np.empty(0), *computed])
        is_similar = similarities >= min_similarity
        return self._sort_pairs(unique[candidates[is_similar]], similarities[is_similar])

    def _sort_pairs(self, pairs: Keys, similarities: NDArray[np.float64]) -> KeyPairs:
        """Sort pairs, and the texts of each, by the texts. pairs: (pairs, 2)."""
        involved = np.unique(pairs)
        by_text = self.sort(involved)
        ranked = np.sort(np.argsort(by_text)[np.searchsorted(involved, pairs)], axis=1)
        order = np.lexsort(ranked.T[::-1])
        rounded = [round(similarity, 4) for similarity in similarities[order].tolist()]
        firsts, seconds = involved[by_text[ranked[order]]].T
        return KeyPairs(firsts, seconds, np.array(rounded))

    def make_table(self, column: str, pairs: KeyPairs) -> pa.Table:
        """Make a table of `TextPair`."""
        names = pa.array([column]).take(pa.array(np.zeros(len(pairs.firsts), np.int64)))
        texts = (self.read(keys) for keys in (pairs.firsts, pairs.seconds))
        return pa.Table.from_arrays(
            [names, *texts, pa.array(pairs.similarities, pa.float64())], schema=PAIR_SCHEMA
        )


class _PairShards(Sequence[Any]):
    """Texts to compare, which are read when a worker is free."""

    def __init__(self, texts: SimilarTexts, pairs: Keys) -> None:
        self._texts = texts
        self._pairs = pairs

    def __len__(self) -> int:
        return -(-len(self._pairs) // _PAIRS)

    def __getitem__(self, number: Any) -> tuple[pa.Array, pa.Array]:
        start = range(0, len(self._pairs), _PAIRS)[number]
        firsts, seconds = self._pairs[start : start + _PAIRS].T
        return self._texts.read(firsts), self._texts.read(seconds)


def _compare_texts(texts: tuple[pa.Array, pa.Array]) -> NDArray[np.float64]:
    return np.fromiter(compute_similarities(*(column.to_pylist() for column in texts)), np.float64)
