"""Clusters of near duplicates, and the groups that they join.

A cluster is a star: every member was verified against its first text. Chains of pairs, whose ends are not
alike, are never followed. Texts, groups and splits are numbers in the order of their names.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exemplars.core.arrays import sort_unique

Numbers = NDArray[np.int64]


def cluster_texts(counts: Numbers, pairs: Numbers) -> Numbers:
    """Return the first text of the cluster of each text; that of a text alone is the text itself.

    counts: the number of rows of each text. pairs: of texts, (pairs, 2). The text with the most rows (the first of
    equals) takes all its neighbors that are still free, then the next free text does, and so on.
    """
    edges = np.concatenate([pairs, pairs[:, ::-1]])
    edges = edges[np.argsort(edges[:, 0], kind="stable")]
    starts = np.searchsorted(edges[:, 0], np.arange(len(counts) + 1)).tolist()
    firsts = np.full(len(counts), -1)
    texts = sort_unique(edges[:, 0])
    for text in texts[np.argsort(-counts[texts], kind="stable")].tolist():
        if firsts[text] < 0:
            neighbors = edges[starts[text] : starts[text + 1], 1]
            firsts[neighbors[firsts[neighbors] < 0]] = firsts[text] = text
    return np.where(firsts < 0, np.arange(len(counts)), firsts)


def join_groups(groups: Numbers, splits: Numbers, clusters: Numbers, max_rows: int) -> Numbers:
    """Return for each group the group that it joins: itself, or the first of those that share a cluster with it.

    groups, splits, clusters: of each row: its group, from 0 and without gaps, the split that its source prescribes, and
    its cluster; rows without a cluster may be left out. Groups with different prescribed splits stay apart, and so do
    groups that would have more than `max_rows` of these rows together: `split` removes what crosses from the training
    set.
    """
    sizes = np.bincount(groups).tolist()
    parents = list(range(len(sizes)))

    def find_root(group: int) -> int:
        while parents[group] != group:
            parents[group] = parents[parents[group]]  # Halves the path (Tarjan and van Leeuwen 1984).
            group = parents[group]
        return group

    order = np.lexsort((groups, splits, clusters))
    groups, splits, clusters = groups[order], splits[order], clusters[order]
    may_join = (splits[1:] == splits[:-1]) & (clusters[1:] == clusters[:-1])
    for group, next_group in zip(groups[:-1][may_join].tolist(), groups[1:][may_join].tolist(), strict=True):
        first, second = sorted((find_root(group), find_root(next_group)))
        if first != second and sizes[first] + sizes[second] <= max_rows:
            parents[second] = first
            sizes[first] += sizes[second]
    return np.array([find_root(group) for group in range(len(parents))], np.int64)
