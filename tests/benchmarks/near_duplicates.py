"""Near duplicates of real dialogues by rensa, against the same work by datasketch, in one run.

Run it: `python tests/benchmarks/near_duplicates.py [EXEMPLARS.parquet]`. Both get the same shingles of the
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
from accounting import compiled
from datasketch import MinHash, MinHashLSH
from sgd_archive import archive, unpack

from exemplars.dataset.texts import compute_jaccard, make_shingles, normalize_text
from stages.curate.duplicates import BANDS, PERMUTATIONS, SEED, candidates

SIMILARITY = 0.8
TEXTS = 20_000
"""Texts that are compared: datasketch takes minutes for all."""


def by_datasketch(runs: Sequence[frozenset[str]]) -> list[tuple[int, int]]:
    """Candidate pairs by datasketch's MinHash and banded LSH."""
    encoded = [[run.encode() for run in one] for one in runs]
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


def timed(
    find: Callable[[Sequence[frozenset[str]]], Sequence[tuple[int, int]]], runs: Sequence[frozenset[str]]
) -> tuple[float, set[tuple[int, int]]]:
    """Seconds that the candidates take, and the verified pairs among them."""
    start = time.perf_counter()
    found = find(runs)
    seconds = time.perf_counter() - start
    return seconds, {pair for pair in found if compute_jaccard(runs[pair[0]], runs[pair[1]]) >= SIMILARITY}


def main(path: Path) -> None:
    """Measure, and print one line a library."""
    texts = sorted(
        {normalize_text(text) for text in pl.read_parquet(path, columns=["utterance"])["utterance"]} - {""}
    )
    texts = texts[:: max(1, len(texts) // TEXTS)][:TEXTS]
    runs = [make_shingles(text) for text in texts]
    ours, pairs = timed(lambda one: list(candidates(one, SIMILARITY)), runs)
    theirs, other_pairs = timed(by_datasketch, runs)
    print(
        f"{len(texts):,} texts: rensa {ours:.2f} s, datasketch {theirs:.2f} s: {theirs / ours:.1f} times as long"
    )
    print(f"verified pairs: {len(pairs):,} and {len(other_pairs):,}, the same: {pairs == other_pairs}")


def from_archive() -> None:
    """Compile the archive, and measure on its exemplars."""
    if archive() is None:
        print("no SGD data: put sgd.tar.xz where SGD_ARCHIVE says, then run again")
        return
    with tempfile.TemporaryDirectory() as name:
        sgd = unpack(Path(name) / "raw")
        main(compiled(Path(name) / "project", sgd) / "exemplars.parquet")


if __name__ == "__main__":
    os.environ.setdefault("EXEMPLARS_WORKERS", "2")
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        from_archive()
