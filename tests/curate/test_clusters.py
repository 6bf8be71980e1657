from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stages.curate.clusters import cluster_texts, join_groups


def cluster(counts: list[int], *pairs: tuple[int, int]) -> list[int]:
    return cluster_texts(np.array(counts), np.array(pairs, np.int64).reshape(-1, 2)).tolist()


def join(*rows: tuple[int, int, int], max_rows: int) -> list[int]:
    """Join groups. rows: the group, the prescribed split and the cluster of each row."""
    groups, splits, clusters = np.array(rows).T
    return join_groups(groups, splits, clusters, max_rows).tolist()


def test_a_chain_is_no_cluster() -> None:
    # The ends have nothing in common, and only neighbors of a first text are joined.
    assert cluster([1, 1, 1, 1, 1], (0, 1), (1, 2), (2, 3), (3, 4)) == [0, 0, 2, 2, 4]


def test_the_text_with_the_most_rows_takes_its_neighbors() -> None:
    assert cluster([1, 5, 1], (0, 1), (1, 2)) == [1, 1, 1]


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20))
def test_every_member_of_a_cluster_is_verified_against_its_first(edges: list[tuple[int, int]]) -> None:
    pairs = {(min(edge), max(edge)) for edge in edges if edge[0] != edge[1]}
    for member, first in enumerate(cluster([1] * 8, *sorted(pairs))):
        assert member == first or (min(member, first), max(member, first)) in pairs


def test_groups_with_a_common_cluster_are_joined_under_the_first_name() -> None:
    assert join((1, 0, 0), (0, 0, 0), (2, 0, 1), (1, 0, 1), max_rows=99) == [0, 0, 0]


def test_groups_of_different_prescribed_splits_stay_apart() -> None:
    assert join((0, 1, 0), (1, 0, 0), (2, 1, 0), max_rows=99) == [0, 1, 0]


def test_groups_are_not_joined_beyond_the_bound() -> None:
    assert join((0, 0, 0), (1, 0, 0), (2, 0, 0), max_rows=2) == [0, 0, 2]
