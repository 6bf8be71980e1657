from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exemplars.dataset.similar_pairs import SimilarPair
from stages.curate.clusters import cluster_texts, join_groups


def test_a_chain_is_no_cluster() -> None:
    # a~b, b~c, c~d, d~e: the ends have nothing in common, and only neighbors of a first text are joined.
    chain = [
        SimilarPair("a", "b", 0.9),
        SimilarPair("b", "c", 0.9),
        SimilarPair("c", "d", 0.9),
        SimilarPair("d", "e", 0.9),
    ]
    assert cluster_texts({}, chain) == {"a": "a", "b": "a", "c": "c", "d": "c"}


def test_the_text_with_the_most_rows_takes_its_neighbors() -> None:
    pairs = [SimilarPair("a", "b", 0.9), SimilarPair("b", "c", 0.9)]
    assert cluster_texts({"b": 5}, pairs) == {"a": "b", "b": "b", "c": "b"}


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")), max_size=20))
def test_every_member_of_a_cluster_is_verified_against_its_first(edges: list[tuple[str, str]]) -> None:
    pairs = [SimilarPair(*sorted(edge), 0.9) for edge in edges if edge[0] != edge[1]]
    verified = {(pair.first, pair.second) for pair in pairs} | {(pair.second, pair.first) for pair in pairs}
    for member, first in cluster_texts({}, pairs).items():
        assert member == first or (member, first) in verified


def test_groups_with_a_common_cluster_are_joined_under_the_first_name() -> None:
    rows = [("g2", None, "x"), ("g1", None, "x"), ("g3", None, "y"), ("g2", None, "y")]
    assert join_groups(rows, 99) == {"g2": "g1", "g3": "g1"}


def test_groups_of_different_prescribed_splits_stay_apart() -> None:
    rows = [("g1", "train", "x"), ("g2", "test", "x"), ("g3", "train", "x")]
    assert join_groups(rows, 99) == {"g3": "g1"}


def test_groups_are_not_joined_beyond_the_bound() -> None:
    rows = [("g1", None, "x"), ("g2", None, "x"), ("g3", None, "x")]
    assert join_groups(rows, 2) == {"g2": "g1"}
