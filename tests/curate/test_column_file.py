"""Columns of numbers in a file: read and written in parts, in any order."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.curate.column_file import ColumnFile

TYPES = {"key": np.uint64, "code": np.int32, "flag": np.bool_}


def test_columns_begin_with_zeros_and_keep_their_types() -> None:
    columns = ColumnFile(BytesIO(), 3, TYPES)
    assert {name: (columns.read(name).dtype.type, columns.read(name).tolist()) for name in TYPES} == {
        "key": (np.uint64, [0, 0, 0]),
        "code": (np.int32, [0, 0, 0]),
        "flag": (np.bool_, [False, False, False]),
    }


def test_a_part_that_is_written_changes_no_other_column() -> None:
    columns = ColumnFile(BytesIO(), 4, TYPES)
    columns.write("code", 1, np.array([7, -8], np.int64))
    columns.write("key", 3, np.array([2**64 - 1], np.uint64))
    columns.write("flag", 0, np.array([True]))
    assert columns.read("key").tolist() == [0, 0, 0, 2**64 - 1]
    assert columns.read("code").tolist() == [0, 7, -8, 0]
    assert columns.read("code", 2, 4).tolist() == [-8, 0]
    assert columns.read("flag").tolist() == [True, False, False, False]


@given(st.data())
def test_rows_are_taken_and_put_in_any_order(data: st.DataObject) -> None:
    values = data.draw(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=8))
    rows = data.draw(st.permutations(range(len(values))).map(lambda order: order[: len(order) // 2]))
    columns, expected = ColumnFile(BytesIO(), len(values), TYPES), np.array(values)
    columns.write("code", 0, expected)
    assert columns.take("code", np.array(rows, np.int64)).tolist() == expected[rows].tolist()
    columns.put("code", np.array(rows, np.int64), np.arange(len(rows)))
    expected[rows] = np.arange(len(rows))
    assert columns.read("code").tolist() == expected.tolist()


@pytest.mark.parametrize("rows", [0, 3])
def test_no_rows_can_be_taken_and_put(rows: int) -> None:
    columns, none = ColumnFile(BytesIO(), rows, TYPES), np.empty(0, np.int64)
    columns.put("code", none, none)
    assert columns.take("code", none).dtype.type is np.int32
    assert columns.read("code").tolist() == [0] * rows
