from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.table_streams import merge_sorted, open_sorted_table, open_spool
from exemplars.core.tables import ROWS_PER_GROUP, open_table, sort_by_id, write_table

SCHEMA = pa.schema([("id", pa.string()), ("texts", pa.list_(pa.string()))])
ROWS = 2 * ROWS_PER_GROUP + 5


def make_table(*ids: str, text: str = "") -> pa.Table:
    return pa.table({"id": list(ids), "texts": [[f"{text}{row}", "é"] for row in ids]}, schema=SCHEMA)


def make_rows(start: int, end: int) -> pa.Table:
    return make_table(*(f"{number:06}" for number in range(start, end)))


@pytest.mark.parametrize(
    "bounds",
    [
        [0, ROWS],
        [0, 1, 1, ROWS_PER_GROUP, ROWS_PER_GROUP + 1, ROWS],
        [0, ROWS_PER_GROUP, 2 * ROWS_PER_GROUP, ROWS],
    ],
)
def test_the_bytes_do_not_depend_on_the_parts_in_which_rows_come(tmp_path: Path, bounds: list[int]) -> None:
    write_table(tmp_path / "whole", make_rows(0, ROWS))
    with open_table(tmp_path / "rows", SCHEMA) as rows, open_sorted_table(tmp_path / "ids", SCHEMA) as ids:
        for start, end in pairwise(bounds):
            rows.write(make_rows(start, end))
            ids.write(make_rows(start, end))
    assert (tmp_path / "rows").read_bytes() == (tmp_path / "whole").read_bytes()
    assert (tmp_path / "ids").read_bytes() == (tmp_path / "whole").read_bytes()
    groups = pq.read_metadata(tmp_path / "rows")
    assert [groups.row_group(index).num_rows for index in range(3)] == [8192, 8192, 5]


def test_a_table_without_rows_is_the_same_as_one_written_at_once(tmp_path: Path) -> None:
    write_table(tmp_path / "whole", make_table())
    with open_sorted_table(tmp_path / "none", SCHEMA):
        pass
    with open_sorted_table(tmp_path / "empty", SCHEMA) as writer:
        writer.write(make_table())
    assert (tmp_path / "none").read_bytes() == (tmp_path / "whole").read_bytes()
    assert (tmp_path / "empty").read_bytes() == (tmp_path / "whole").read_bytes()


def test_parts_out_of_order_are_sorted_as_a_whole(tmp_path: Path) -> None:
    parts = [make_table("b", "d"), make_table("c", "a"), make_table("b", text="second ")]
    with open_sorted_table(tmp_path / "parts", SCHEMA) as writer:
        for part in parts:
            writer.write(part)
    write_table(tmp_path / "whole", sort_by_id(pa.concat_tables(parts)))
    assert (tmp_path / "parts").read_bytes() == (tmp_path / "whole").read_bytes()
    assert pq.read_table(tmp_path / "parts")["texts"].to_pylist() == [
        ["a", "é"],
        ["b", "é"],
        ["second b", "é"],
        ["c", "é"],
        ["d", "é"],
    ]


def test_an_error_between_parts_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    write_table(tmp_path / "x", make_table("old"))
    before = (tmp_path / "x").read_bytes()
    with pytest.raises(ValueError, match="shard 2"), open_sorted_table(tmp_path / "x", SCHEMA) as writer:
        writer.write(make_rows(0, ROWS_PER_GROUP))
        raise ValueError("shard 2")
    assert (tmp_path / "x").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


IDS = st.text("abc", max_size=2)


@given(st.lists(IDS, max_size=9), st.lists(st.integers(0, 9), max_size=3), st.lists(IDS, max_size=5))
def test_merging_is_sorting_the_large_table_followed_by_the_small_one(
    ids: list[str], cuts: list[int], others: list[str]
) -> None:
    large, small = sort_by_id(make_table(*ids, text="large ")), make_table(*others, text="small ")
    bounds = [0, *sorted(min(cut, len(ids)) for cut in cuts), len(ids)]
    parts = [large.slice(start, end - start) for start, end in pairwise(bounds)]
    merged = pa.concat_tables([SCHEMA.empty_table(), *merge_sorted(parts, small)])
    assert merged.to_pylist() == sort_by_id(pa.concat_tables([large, small])).to_pylist()


def test_a_spool_gives_back_its_parts_and_any_of_their_rows(tmp_path: Path) -> None:
    parts = [make_rows(0, 3), make_table(), make_rows(3, 5)]
    with open_spool(tmp_path / "spool", SCHEMA) as spool:
        for part in parts:
            spool.append(part)
        assert spool.starts == [0, 3, 3, 5]
        assert [part.to_pylist() for part in spool.read_parts()] == [part.to_pylist() for part in parts]
        assert spool.take([1, 3, 4])["id"].to_pylist() == ["000001", "000003", "000004"]
        assert spool.take([]).num_rows == 0
        # A process that is killed now leaves nothing in the folder.
        assert list((tmp_path / "spool").iterdir()) == []
