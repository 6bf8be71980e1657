from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exemplars.core.errors import UserError
from exemplars.core.row_groups import RowGroups

SCHEMA = pa.schema([("id", pa.string()), ("rows", pa.int32())])


@pytest.fixture
def groups(tmp_path: Path) -> RowGroups:
    """Seven rows in row groups of three."""
    table = pa.table({"id": list("abcdefg"), "rows": list(range(7))}, SCHEMA)
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=3)
    return RowGroups(tmp_path / "rows.parquet", SCHEMA)


def test_a_row_is_found_by_its_number(groups: RowGroups) -> None:
    assert (len(groups), groups.rows, groups.starts) == (3, 7, [0, 3, 6, 7])
    assert [groups.find_group(row) for row in (0, 2, 3, 6)] == [0, 0, 1, 2]
    assert groups.take([1, 2, 6]).to_pylist() == [
        {"id": "b", "rows": 1},
        {"id": "c", "rows": 2},
        {"id": "g", "rows": 6},
    ]
    assert groups.take([5], ("id",)).to_pylist() == [{"id": "f"}]
    assert groups.take([]).num_rows == 0


def test_row_groups_are_read_one_after_the_other(groups: RowGroups) -> None:
    assert [table.column("id").to_pylist() for table in groups.scan(("id",))] == [
        ["a", "b", "c"],
        ["d", "e", "f"],
        ["g"],
    ]


def test_a_file_that_is_missing_damaged_or_of_other_columns_is_named(groups: RowGroups) -> None:
    with pytest.raises(
        UserError, match=r"rows\.parquet: unreadable_table: found unexpected columns, expected"
    ):
        RowGroups(groups.path, pa.schema([("id", pa.string())]))
    data = groups.path.read_bytes()
    groups.path.write_bytes(b"x" * 60 + data[60:])
    with pytest.raises(
        UserError, match=r"rows\.parquet: unreadable_table: found .*; delete it, then run `dvc repro`"
    ):
        list(groups.scan())
    groups.path.unlink()
    with pytest.raises(UserError, match=r"rows\.parquet: unreadable_table: found no such file"):
        groups.read(0)
