"""Clusters of near duplicates, and the groups that they join.

A cluster is a star: every member was verified against its first text. Chains of pairs, whose ends are not
alike, are never followed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise

from exemplars.dataset.similar_pairs import SimilarPair


def cluster_texts(counts: Mapping[str, int], pairs: Iterable[SimilarPair]) -> dict[str, str]:
    """Map every text that is in a cluster of at least two texts to the first text of the cluster.

    counts: the number of rows of each text. The text with the most rows (the first of equals) takes all its
    neighbors that are still free, then the next free text does, and so on.
    """
    neighbors: dict[str, list[str]] = defaultdict(list)
    for pair in pairs:
        neighbors[pair.first].append(pair.second)
        neighbors[pair.second].append(pair.first)
    first_texts: dict[str, str] = {}
    for text in sorted(neighbors, key=lambda name: (-counts.get(name, 0), name)):
        if text in first_texts:
            continue
        members = [neighbor for neighbor in neighbors[text] if neighbor not in first_texts]
        if members:
            first_texts.update({member: text for member in [text, *members]})
    return first_texts


def join_groups(rows: Iterable[tuple[str, str | None, str]], max_rows: int) -> dict[str, str]:
    """Map every group that shares a cluster with an earlier group to the group that it joins.

    rows: the group of each row, the split that its source prescribes, and its cluster; rows without a
    cluster may be left out. Groups with different prescribed splits stay apart, and so do groups that would
    have more than `max_rows` of these rows together: `split` removes what crosses from the training set.
    A joined group keeps the first name.
    """
    parents: dict[str, str] = {}
    sizes: dict[str, int] = defaultdict(int)
    clusters: dict[str, set[tuple[str, str | None]]] = defaultdict(set)

    def find_root(group: str) -> str:
        while parents.setdefault(group, group) != group:
            parents[group] = parents[parents[group]]  # Halves the path (Tarjan and van Leeuwen 1984).
            group = parents[group]
        return group

    for group, split, cluster in rows:
        clusters[cluster].add((group, split))
        sizes[group] += 1
    for _, members in sorted(clusters.items()):
        ordered = sorted(members, key=lambda member: (member[1] or "", member[0]))
        for (group, split), (next_group, next_split) in pairwise(ordered):
            first, second = sorted((find_root(group), find_root(next_group)))
            if split == next_split and first != second and sizes[first] + sizes[second] <= max_rows:
                parents[second] = first
                sizes[first] += sizes[second]
    return {group: find_root(group) for group in sorted(parents) if find_root(group) != group}
