"""Near duplicates by the MinHash blocks of datatrove, with the shingles of this project. It has to be installed."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from datatrove.data import Document
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets, MinhashDedupSignature
from datatrove.utils.logging import logger

from exemplars.dataset.similar_pairs import BANDS, PERMUTATIONS, SEED
from exemplars.dataset.texts import compute_jaccard, make_shingles

SIMILARITY = 0.8
CONFIG = MinhashConfig(num_buckets=BANDS, hashes_per_bucket=PERMUTATIONS // BANDS, seed=SEED)


class Signatures(MinhashDedupSignature):
    """The signatures of texts by the shingles of this project, instead of runs of five words."""

    def get_shingles(self, text: str) -> Any:
        """Return the hash of each shingle, as a column."""
        hashes = [self._hash_func(shingle.encode()) for shingle in make_shingles(text)]
        return np.array(hashes, np.uint64).reshape(-1, 1)


def find_by_datatrove(texts: Sequence[str]) -> set[tuple[str, str]]:
    """Find the pairs by datatrove's signatures and buckets, and verify each."""
    logger.remove()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        documents = (Document(text=text, id=str(number)) for number, text in enumerate(texts))
        Signatures(str(folder / "signatures"), CONFIG).run(documents)
        step = MinhashDedupBuckets(str(folder / "signatures"), str(folder / "buckets"), config=CONFIG)
        for bucket in range(BANDS):
            step.run(None, bucket, BANDS)
        pairs = {pair for path in folder.glob("buckets/*.dups") for pair in _read_pairs(path.read_bytes())}
    shingles = list(map(make_shingles, texts))
    return {
        (texts[first], texts[second])
        for first, second in pairs
        if compute_jaccard(shingles[first], shingles[second]) >= SIMILARITY
    }


def _read_pairs(data: bytes) -> Iterable[tuple[int, int]]:
    """Yield all pairs of documents with the same signature; the file has those that follow each other."""
    chains: list[list[int]] = []
    for _, first, _, second in struct.iter_unpack("<4I", data):
        if chains and chains[-1][-1] == first:
            chains[-1].append(second)
        else:
            chains.append([first, second])
    for chain in chains:
        for first, second in combinations(sorted(chain), 2):
            yield first, second
