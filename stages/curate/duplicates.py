"""Rows that repeat each other: exactly, and nearly.

Near duplicates are found by MinHash with banding (Broder 1997; Leskovec, Rajaraman, Ullman, Mining of
Massive Datasets, chapter 3) and then verified by their exact Jaccard similarity, so that a pair is never
an estimate. A cluster is a star: every member was verified against the first. Chains, which join what is
not alike, are never followed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from exemplars.core.records import Exemplar
from exemplars.dataset.texts import compute_jaccard, make_shingles, normalize_text

PERMUTATIONS: Final = 128
BANDS: Final = 32
"""32 bands of 4: of pairs with a similarity of 0.8, one in 10^7 is missed; of 0.7, one in 7,000."""
SEED: Final = 1


class Pair(NamedTuple):
    """Two texts that are nearly the same; `first < second`."""

    first: str
    second: str
    similarity: float
    """Jaccard similarity of their shingles."""


def exact_duplicates(exemplars: Iterable[Exemplar]) -> dict[str, str]:
    """The ids of rows that repeat an earlier one, each with the id of that one.

    Rows repeat each other where skill, mode, normalized utterance and normalized values are equal.
    exemplars: sorted by id.
    """
    first: dict[tuple[object, ...], str] = {}
    repeated = {}
    for one in exemplars:
        values = tuple(sorted((argument.slot, normalize_text(argument.value)) for argument in one.arguments))
        key = (one.service, one.skill, one.mode, normalize_text(one.utterance), values)
        if first.setdefault(key, one.id) != one.id:
            repeated[one.id] = first[key]
    return repeated


def near_pairs(texts: Iterable[str], similarity: float) -> list[Pair]:
    """All verified pairs among texts, sorted.

    texts: normalized; each counts once, in any order. similarity: the least Jaccard similarity.
    """
    unique = sorted({text for text in texts if text})
    if len(unique) < 2:
        return []
    runs = [make_shingles(text) for text in unique]
    pairs = []
    for first, second in candidates(runs, similarity):
        alike = compute_jaccard(runs[first], runs[second])
        if alike >= similarity:
            pairs.append(Pair(unique[first], unique[second], round(alike, 4)))
    return sorted(pairs)


def candidates(runs: Sequence[frozenset[str]], similarity: float) -> Iterable[tuple[int, int]]:
    """Pairs of places that share a band and can be alike, each once: the first before the second.

    runs: the shingles of each text, none without any.
    """
    from rensa import RMinHash, RMinHashLSH  # Needed where there are texts to compare.

    sketches = RMinHash.from_token_sets(runs, PERMUTATIONS, SEED)
    index = RMinHashLSH(similarity, PERMUTATIONS, BANDS)
    index.insert_pairs(list(enumerate(sketches)))
    sizes = [len(one) for one in runs]
    for place, others in enumerate(index.query_all(sketches)):
        # No Jaccard similarity is larger than the ratio of the sizes.
        least, most = similarity * sizes[place], sizes[place] / similarity
        for other in others:
            if place < other and least <= sizes[other] <= most:
                yield place, other


def clusters_of(texts: Mapping[str, int], pairs: Iterable[Pair]) -> dict[str, str]:
    """The first text of the cluster of every text that is in a cluster of at least two.

    texts: how many rows each has. The text with most rows (of equal ones the first) gathers its free
    neighbours, then the next free text gathers what is left: every member is verified against the first.
    """
    neighbours: dict[str, list[str]] = defaultdict(list)
    for one in pairs:
        neighbours[one.first].append(one.second)
        neighbours[one.second].append(one.first)
    first_of: dict[str, str] = {}
    for text in sorted(neighbours, key=lambda name: (-texts.get(name, 0), name)):
        if text in first_of:
            continue
        members = [other for other in neighbours[text] if other not in first_of]
        if members:
            first_of.update({member: text for member in [text, *members]})
    return first_of


def joined_groups(rows: Iterable[tuple[str, str | None, str]], max_rows: int) -> dict[str, str]:
    """The new group of every group that shares a cluster with another.

    rows: of each row its group, the split that its source prescribes, and its cluster; rows without a
    cluster need not be among them. Groups with different prescribed splits stay apart, and so do groups
    that would have more than `max_rows` of these rows together: `split` takes what crosses out of train.
    A joined group has the name of its first one.
    """
    parent: dict[str, str] = {}
    weight: dict[str, int] = defaultdict(int)
    by_cluster: dict[str, set[tuple[str, str | None]]] = defaultdict(set)

    def root(group: str) -> str:
        while parent.setdefault(group, group) != group:
            parent[group] = parent[parent[group]]
            group = parent[group]
        return group

    for group, split, cluster in rows:
        by_cluster[cluster].add((group, split))
        weight[group] += 1
    for _, members in sorted(by_cluster.items()):
        ordered = sorted(members, key=lambda member: (member[1] or "", member[0]))
        for (one, split), (other, other_split) in pairwise(ordered):
            first, second = sorted((root(one), root(other)))
            if split == other_split and first != second and weight[first] + weight[second] <= max_rows:
                parent[second] = first
                weight[first] += weight[second]
    return {group: root(group) for group in sorted(parent) if root(group) != group}
