"""Near duplicates of real dialogues by rensa, against the same work by datasketch, in one run.

Run it: `python tests/benchmarks/near_duplicates.py [--small]`. Both get the same shingles of the
same texts, the same permutations and bands, and their candidates are verified in the same way.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
from accounting import compile_dialogues
from datasketch import MinHash, MinHashLSH
from sgd_archive import MISSING, find_dialogues

from exemplars.dataset.similar_pairs import BANDS, PERMUTATIONS, SEED, find_candidates
from exemplars.dataset.texts import compute_jaccard, make_shingles, make_similarity_text

SIMILARITY = 0.8
TEXTS = 20_000
"""Texts that are compared: datasketch takes minutes for all."""


def find_by_datasketch(runs: Sequence[frozenset[str]]) -> list[tuple[int, int]]:
    """Find candidate pairs by datasketch's MinHash and banded LSH."""
    encoded = [[shingle.encode() for shingle in shingles] for shingles in runs]
    sketches = MinHash.bulk(encoded, num_perm=PERMUTATIONS, seed=SEED)
    index = MinHashLSH(num_perm=PERMUTATIONS, params=(BANDS, PERMUTATIONS // BANDS))
    for place, sketch in enumerate(sketches):
        index.insert(place, sketch)
    return [
        (place, other)
        for place, sketch in enumerate(sketches)
        for other in index.query(sketch)
        if place < other
    ]


def measure(
    find: Callable[[Sequence[frozenset[str]]], Sequence[tuple[int, int]]], runs: Sequence[frozenset[str]]
) -> tuple[float, set[tuple[int, int]]]:
    """Return the seconds that the candidates take, and the verified pairs among them."""
    start = time.perf_counter()
    found = find(runs)
    seconds = time.perf_counter() - start
    return seconds, {pair for pair in found if compute_jaccard(runs[pair[0]], runs[pair[1]]) >= SIMILARITY}


def compare_libraries(path: Path) -> None:
    """Compare both on the utterances of a table of exemplars; print one line for each figure."""
    texts = sorted(
        {make_similarity_text(text) for text in pl.read_parquet(path, columns=["utterance"])["utterance"]}
        - {""}
    )
    texts = texts[:: max(1, len(texts) // TEXTS)][:TEXTS]
    runs = [make_shingles(text) for text in texts]
    ours, pairs = measure(lambda texts: list(find_candidates(texts, SIMILARITY)), runs)
    theirs, other_pairs = measure(find_by_datasketch, runs)
    ratio = theirs / ours
    print(f"{len(texts):,} texts: rensa {ours:.2f} s, datasketch {theirs:.2f} s: {ratio:.1f} times as long")
    print(f"verified pairs: {len(pairs):,} and {len(other_pairs):,}, the same: {pairs == other_pairs}")


def main(small: bool) -> None:
    """Compile the archive, or the default data, and compare on its exemplars."""
    with tempfile.TemporaryDirectory() as name:
        data = find_dialogues(Path(name) / "raw", small)
        if data is None:
            print(MISSING)
        else:
            compare_libraries(compile_dialogues(Path(name) / "project", data) / "exemplars.parquet")


if __name__ == "__main__":
    os.environ.setdefault("EXEMPLARS_WORKERS", "2")
    main("--small" in sys.argv[1:])
