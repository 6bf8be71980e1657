from __future__ import annotations

import numpy as np
import pytest

from stages.compile.row_keys import divide_classes, find_repeated, find_shared, mark_members


def test_keys_are_members_if_they_are_among_those_wanted() -> None:
    wanted = np.array([2, 5, 2**62])
    assert mark_members(np.array([5, 1, 2**62, 3, 2, 9]), wanted).tolist() == [
        True,
        False,
        True,
        False,
        True,
        False,
    ]
    assert mark_members(np.array([5, 1]), np.array([], np.int64)).tolist() == [False, False]
    assert mark_members(np.array([], np.int64), wanted).tolist() == []


def test_repeated_keys_are_found_once() -> None:
    assert find_repeated(np.array([7, 3, 7, 1, 3, 7])).tolist() == [3, 7]


def test_a_key_is_shared_only_by_different_turns() -> None:
    keys, turns = np.array([4, 9, 4, 9, 4]), np.array([1, 2, 1, 2, 3])
    assert find_shared(keys, turns).tolist() == [4]


@pytest.mark.parametrize(
    ("rows", "batches"),
    [
        (1, [[1, 4], [0, 2, 5], [3]]),
        (2, [[1, 4], [0, 2, 5], [3]]),
        (3, [[0, 1, 2, 4, 5], [3]]),
        (6, [[0, 1, 2, 3, 4, 5]]),
    ],
)
def test_a_batch_has_whole_classes(rows: int, batches: list[list[int]]) -> None:
    divided = divide_classes(np.array([20, 10, 20, 30, 10, 20]), rows)
    assert [batch.tolist() for batch in divided] == batches
