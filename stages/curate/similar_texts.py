"""The different texts of all rows: which of them are nearly the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from exemplars.core.arrays import sort_unique
from exemplars.core.memory import return_freed_pages
from exemplars.core.schemas import PAIR_SCHEMA
from exemplars.core.table_streams import TableSpool
from exemplars.core.workers import map_shards
from exemplars.dataset.similar_pairs import compute_similarities, find_candidates
from exemplars.dataset.sketch_file import SketchFile
from stages.curate.facts import ShardTexts
from stages.curate.key_arrays import Keys

_PAIRS: Final = 20_000
"""Pairs that a worker verifies at a time: they take a second."""
_PAIRS_OF_TABLE: Final = 2**17
"""They take some 20 MB with their texts, for which all texts are read."""


class KeyPairs(NamedTuple):
    """Pairs of texts that are nearly the same, by their hashes; sorted by the texts, and so is each pair."""

    firsts: Keys
    seconds: Keys
    similarities: NDArray[np.float64]
    """In [0, 1], rounded to 4 digits."""

    def select(self, chosen: NDArray[np.bool_] | slice) -> KeyPairs:
        """Select pairs by a mask, or some that follow each other."""
        return KeyPairs(self.firsts[chosen], self.seconds[chosen], self.similarities[chosen])


class SimilarTexts:
    """Texts by their hashes (see `RowKeys`): 12 bytes a text, since texts and sketches are on disk."""

    def __init__(self, texts: TableSpool, sketches: SketchFile, workers: int = 1) -> None:
        """texts, sketches: empty; see `Scratch`. workers: processes that verify pairs."""
        self._texts = texts
        self._sketches = sketches
        self._workers = workers
        self._keys = np.empty(0, np.uint64)
        """The different hashes, in ascending order."""
        self._rows = np.empty(0, np.int32)
        """The first row of `texts` that has each text."""

    def append(self, part: ShardTexts) -> None:
        """Add texts, some of which may be there already; they count after the next `index`."""
        self._texts.append(pa.table([part.texts], ["text"]))
        self._sketches.append(part.keys, part.sketches)

    def index(self) -> None:
        """Look through the texts that were added, so that they can be found."""
        keys = self._sketches.read_keys()
        order = np.argsort(keys, kind="stable").astype(np.int32)
        keys = keys[order]
        is_first = np.diff(keys, prepend=~keys[:1]) != 0
        self._keys, self._rows = keys[is_first], order[is_first]

    def read(self, keys: Keys) -> pa.Array:
        """Read texts by their hashes."""
        unique, places = np.unique(self._find(keys), return_inverse=True)
        return self._texts.take(unique).column("text").combine_chunks().take(pa.array(places))

    def _find(self, keys: Keys) -> NDArray[np.int32]:
        return self._rows[np.searchsorted(self._keys, keys)]

    def sort(self, keys: Keys) -> NDArray[np.int64]:
        """Return the places of hashes in the order of their texts."""
        places: NDArray[np.int64] = pc.sort_indices(self.read(keys)).to_numpy().astype(np.int64)
        return places

    def find_pairs(self, keys: Keys, min_similarity: float) -> KeyPairs:
        """Find all pairs of different texts whose similarity is at least `min_similarity`.

        keys: the hashes of the texts that are compared, which may be repeated; 0 is the empty text.
        """
        compared = sort_unique(keys[keys != 0])
        rows = self._find(compared)
        order = np.argsort(rows)
        compared, rows = compared[order], rows[order]
        bands, sizes, bitmaps = self._sketches.read(rows)
        shards = _PairShards(self, compared, find_candidates(bands, sizes, bitmaps, min_similarity))
        # A second of work is not worth a process, and still less a connection to a cluster.
        computed = (
            map_shards(_compare_texts, shards, self._workers, "near duplicates", lambda _: "near duplicates")
            if len(shards) > 1
            else map(_compare_texts, shards)
        )
        pairs, similarities = [np.empty((0, 2), np.uint64)], [np.empty(0)]
        for number, found in enumerate(computed):
            is_similar = found >= min_similarity
            pairs.append(shards.list_pairs(number)[is_similar])
            similarities.append(found[is_similar])
        return_freed_pages()
        return self._sort_pairs(np.concatenate(pairs), np.concatenate(similarities))

    def _sort_pairs(self, pairs: Keys, similarities: NDArray[np.float64]) -> KeyPairs:
        """Sort pairs, and the texts of each, by the texts. pairs: (pairs, 2)."""
        involved = sort_unique(pairs.ravel())
        by_text = self.sort(involved)
        ranked = np.sort(np.argsort(by_text)[np.searchsorted(involved, pairs)], axis=1)
        order = np.lexsort(ranked.T[::-1])
        rounded = [round(similarity, 4) for similarity in similarities[order].tolist()]
        firsts, seconds = involved[by_text[ranked[order]]].T
        return KeyPairs(firsts, seconds, np.array(rounded))

    def make_tables(self, column: str, pairs: KeyPairs) -> Iterator[pa.Table]:
        """Make tables of `TextPair`, each of bounded size."""
        for start in range(0, len(pairs.firsts), _PAIRS_OF_TABLE):
            part = pairs.select(slice(start, start + _PAIRS_OF_TABLE))
            names = pa.array([column]).take(pa.array(np.zeros(len(part.firsts), np.int64)))
            texts = (self.read(keys) for keys in (part.firsts, part.seconds))
            yield pa.Table.from_arrays(
                [names, *texts, pa.array(part.similarities, pa.float64())], schema=PAIR_SCHEMA
            )


class _PairShards(Sequence[Any]):
    """Texts to compare, which are read when a worker is free."""

    def __init__(self, texts: SimilarTexts, keys: Keys, pairs: NDArray[np.int32]) -> None:
        """keys: the hashes of texts. pairs: places among them, (pairs, 2)."""
        self._texts = texts
        self._keys = keys
        self._pairs = pairs

    def __len__(self) -> int:
        return -(-len(self._pairs) // _PAIRS)

    def __getitem__(self, number: Any) -> tuple[pa.Array, pa.Array]:
        firsts, seconds = self.list_pairs(number).T
        return self._texts.read(firsts), self._texts.read(seconds)

    def list_pairs(self, number: int) -> Keys:
        """List the pairs of a shard by their hashes: (pairs, 2)."""
        start = range(0, len(self._pairs), _PAIRS)[number]
        return self._keys[self._pairs[start : start + _PAIRS]]


def _compare_texts(texts: tuple[pa.Array, pa.Array]) -> NDArray[np.float64]:
    return np.fromiter(compute_similarities(*(column.to_pylist() for column in texts)), np.float64)
