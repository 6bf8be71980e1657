from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.table_streams import TableSpool, merge_sorted, open_sorted_table, open_spool
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


CUTS = st.lists(st.integers(0, 9), max_size=3)


def cut(table: pa.Table, cuts: list[int]) -> list[pa.Table]:
    bounds = [0, *sorted(min(place, table.num_rows) for place in cuts), table.num_rows]
    return [table.slice(start, end - start) for start, end in pairwise(bounds)]


@given(st.lists(IDS, max_size=9), CUTS, st.lists(IDS, max_size=9), CUTS)
def test_merging_is_sorting_the_first_table_followed_by_the_second(
    ids: list[str], cuts: list[int], other_ids: list[str], other_cuts: list[int]
) -> None:
    first, second = sort_by_id(make_table(*ids, text="1 ")), sort_by_id(make_table(*other_ids, text="2 "))
    merged = merge_sorted(cut(first, cuts), cut(second, other_cuts))
    rows = pa.concat_tables([SCHEMA.empty_table(), *merged]).to_pylist()
    assert rows == sort_by_id(pa.concat_tables([first, second])).to_pylist()


def test_merging_reads_no_more_of_either_table_than_the_next_part() -> None:
    taken = []

    def read(name: str, *ids: str) -> Iterator[pa.Table]:
        for row in ids:
            taken.append(name)
            yield make_table(row)

    merged = merge_sorted(read("first", "b", "x"), read("second", "a", "c", "d", "y"))
    assert next(merged)["id"].to_pylist() == ["a"]
    assert taken == ["first", "second"]
    assert [part["id"].to_pylist() for part in merged] == [["b"], ["c"], ["d"], ["x"], ["y"]]


def test_a_spool_gives_back_its_parts_and_any_of_their_rows(tmp_path: Path) -> None:
    parts = [make_rows(0, 3), make_table(), make_rows(3, 5)]
    with open_spool(tmp_path / "spool", SCHEMA) as spool:
        for part in parts:
            spool.append(part)
        assert spool.starts == [0, 3, 3, 5]
        assert [part.to_pylist() for part in spool.read_parts()] == [part.to_pylist() for part in parts]
        assert spool.take([1, 3, 4])["id"].to_pylist() == ["000001", "000003", "000004"]
        assert spool.take([]).num_rows == 0
        assert spool.take([0])["id"].to_pylist() == ["000000"]
        # A process that is killed now leaves nothing in the folder.
        assert list((tmp_path / "spool").iterdir()) == []


@given(st.lists(st.lists(IDS, max_size=4), max_size=4))
def test_a_spool_is_read_by_id_as_if_it_were_sorted_as_a_whole(parts: list[list[str]]) -> None:
    tables = [make_table(*ids, text=f"{number} ") for number, ids in enumerate(parts)]
    spool = TableSpool(io.BytesIO(), SCHEMA)
    for table in tables:
        spool.append(table)
    rows = pa.concat_tables([SCHEMA.empty_table(), *spool.read_by_id()])
    assert rows.to_pylist() == sort_by_id(pa.concat_tables([SCHEMA.empty_table(), *tables])).to_pylist()


def test_a_spool_is_read_by_id_in_tables_of_bounded_size(tmp_path: Path) -> None:
    with open_spool(tmp_path, SCHEMA) as spool:
        spool.append(make_rows(ROWS_PER_GROUP, ROWS))
        spool.append(make_rows(0, ROWS_PER_GROUP))
        tables = list(spool.read_by_id())
    assert [table.num_rows for table in tables] == [8192, 8192, 5]
    assert pa.concat_tables(tables)["id"].to_pylist() == make_rows(0, ROWS)["id"].to_pylist()


def test_a_column_of_numbers_is_read_over_all_parts() -> None:
    schema = pa.schema([("id", pa.string()), ("key", pa.int64())])
    spool = TableSpool(io.BytesIO(), schema)
    assert spool.read_column("key").tolist() == []
    for keys in ([2**62, 1], [], [-3]):
        spool.append(pa.table({"id": list(map(str, keys)), "key": pa.array(keys, pa.int64())}, schema))
    assert spool.read_column("key").tolist() == [2**62, 1, -3]
