"""Near duplicates of real dialogues as `curate` finds them, against the same work by datasketch, in one run.

Run it: `python tests/benchmarks/near_duplicates.py [--small]`. With `pip install datatrove`, also against its MinHash.
All split the same texts into the same shingles, with the same number of permutations and bands, and verify each pair.
Times are of the processor.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import polars as pl
from accounting import compile_dialogues
from datasketch import MinHash, MinHashLSH
from sgd_archive import MISSING, find_dialogues

from exemplars.dataset.similar_pairs import BANDS, PERMUTATIONS, SEED, find_similar_pairs
from exemplars.dataset.texts import compute_jaccard, make_shingles, make_similarity_text

SIMILARITY = 0.8
TEXTS = 20_000
"""Texts that are compared: datasketch takes minutes for all."""


def find_by_datasketch(texts: Sequence[str]) -> set[tuple[str, str]]:
    """Find the pairs by datasketch's MinHash and banded LSH, and verify each."""
    shingles = list(map(make_shingles, texts))
    encoded = [[shingle.encode() for shingle in text_shingles] for text_shingles in shingles]
    sketches = MinHash.bulk(encoded, num_perm=PERMUTATIONS, seed=SEED)
    index = MinHashLSH(num_perm=PERMUTATIONS, params=(BANDS, PERMUTATIONS // BANDS))
    for place, sketch in enumerate(sketches):
        index.insert(place, sketch)
    return {
        (texts[place], texts[other])
        for place, sketch in enumerate(sketches)
        for other in index.query(sketch)
        if place < other and compute_jaccard(shingles[place], shingles[other]) >= SIMILARITY
    }


def find_by_this_project(texts: Sequence[str]) -> set[tuple[str, str]]:
    """Find the pairs as `curate` does."""
    return {(pair.first, pair.second) for pair in find_similar_pairs(texts, SIMILARITY)}


def measure(
    find: Callable[[Sequence[str]], set[tuple[str, str]]], texts: Sequence[str]
) -> tuple[float, set[tuple[str, str]]]:
    """Return the processor seconds that a search takes, and the pairs that it finds."""
    start = time.process_time()
    pairs = find(texts)
    return time.process_time() - start, pairs


def compare_libraries(path: Path) -> None:
    """Compare all on the utterances of a table of exemplars; print a line for each library."""
    texts = sorted(
        {make_similarity_text(text) for text in pl.read_parquet(path, columns=["utterance"])["utterance"]}
        - {""}
    )
    texts = texts[:: max(1, len(texts) // TEXTS)][:TEXTS]
    find_by_this_project(texts[:100])  # Imports what it needs.
    ours, pairs = measure(find_by_this_project, texts)
    print(f"{len(texts):,} texts: curate {ours:.2f} s, {len(pairs):,} verified pairs")
    libraries = {"datasketch": find_by_datasketch}
    if find_spec("datatrove") is None:
        print("datatrove is not installed")
    else:
        from datatrove_pairs import find_by_datatrove

        find_by_datatrove(texts[:100])
        libraries["datatrove"] = find_by_datatrove
    for name, find in libraries.items():
        theirs, other_pairs = measure(find, texts)
        print(f"{name} {theirs:.2f} s: {theirs / ours:.1f} times as long, same pairs: {pairs == other_pairs}")


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
