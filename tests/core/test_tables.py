from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.errors import UserError
from exemplars.core.records import (
    Argument,
    Exemplar,
    Grounding,
    LabelledArgument,
    Mode,
    Origin,
    Record,
    Speaker,
    TextPair,
    Turn,
)
from exemplars.core.schemas import EXEMPLAR_SCHEMA, RECORD_SCHEMA, derive_schema
from exemplars.core.tables import ROWS_PER_GROUP, read_table, rows_to_table, sort_by_id, write_table
from exemplars.dataset.row_tables import (
    exemplars_from_table,
    exemplars_to_table,
    records_from_table,
    records_to_table,
)

TEXT = st.text(max_size=8)
TURNS = st.lists(st.builds(Turn, st.sampled_from(list(Speaker)), TEXT), max_size=3).map(tuple)
RECORDS = st.builds(
    Record,
    id=TEXT,
    turn=TEXT,
    source=TEXT,
    utterance=TEXT,
    mode=st.sampled_from(list(Mode)),
    skill=st.none() | TEXT,
    service=st.none() | TEXT,
    arguments=st.lists(
        st.builds(
            LabelledArgument,
            TEXT,
            TEXT,
            st.lists(TEXT, max_size=2).map(tuple),
            st.none() | st.integers(0, 99),
            st.none() | st.integers(0, 99),
            st.booleans(),
            st.lists(TEXT, max_size=2).map(tuple),
            st.none() | st.sampled_from(list(Grounding)),
        ),
        max_size=3,
    ).map(tuple),
    context=TURNS,
    group=TEXT,
    license=TEXT,
    origin=st.builds(Origin, TEXT, TEXT, TEXT),
    exemplar=st.none() | TEXT,
    split=st.none() | TEXT,
    today=st.none() | TEXT,
    call=st.integers(0, 9),
    speaker=st.sampled_from(list(Speaker)),
    reply=st.none() | TEXT,
)


def exemplar(row_id: str) -> Exemplar:
    return Exemplar(
        id=row_id,
        digest="d",
        source="s",
        turn=row_id,
        call=0,
        service=None,
        skill="call",
        mode=Mode.NORMAL,
        speaker=Speaker.USER,
        utterance="call 😀 Maria",
        exemplar="call 😀 <contact>",
        arguments=(Argument("contact", "Maria", "Maria", 7, 12, Grounding.VERBATIM),),
        reply="Calling.",
        context=(Turn(Speaker.ASSISTANT, "whom?"),),
        group="g",
        license="MIT",
        origin=Origin("a.md", "0", "3"),
    )


@given(st.lists(RECORDS, max_size=5))
def test_records_come_back_as_they_were(records: list[Record]) -> None:
    assert records_from_table(records_to_table(records)) == records


@given(st.lists(RECORDS, min_size=3, max_size=5))
def test_a_slice_of_a_table_gives_only_its_own_rows(records: list[Record]) -> None:
    assert records_from_table(records_to_table(records).slice(1, 2)) == records[1:3]


def test_exemplars_come_back_from_a_file_as_they_were(tmp_path: Path) -> None:
    rows = [exemplar("a"), exemplar("b")]
    write_table(tmp_path / "x.parquet", exemplars_to_table(rows))
    assert exemplars_from_table(read_table(tmp_path / "x.parquet", EXEMPLAR_SCHEMA)) == rows


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("x", "y"):
        write_table(tmp_path / name, exemplars_to_table([exemplar("a"), exemplar("b")]))
    assert (tmp_path / "x").read_bytes() == (tmp_path / "y").read_bytes()


def test_the_bytes_do_not_depend_on_the_chunks_of_a_table(tmp_path: Path) -> None:
    rows = [exemplar(f"{number:03}") for number in range(200)]
    write_table(tmp_path / "whole", exemplars_to_table(rows))
    parts = [exemplars_to_table(rows[:70]), exemplars_to_table(rows[70:])]
    write_table(tmp_path / "parts", pa.concat_tables(parts))
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "parts").read_bytes()


def test_a_row_group_is_the_shard_of_a_worker(tmp_path: Path) -> None:
    rows = [TextPair("utterance", str(number), "", 1.0) for number in range(2 * ROWS_PER_GROUP + 1)]
    write_table(tmp_path / "pairs", rows_to_table(rows, TextPair))
    groups = pq.read_metadata(tmp_path / "pairs")
    assert [groups.row_group(index).num_rows for index in range(3)] == [8192, 8192, 1]
    assert read_table(tmp_path / "pairs", derive_schema(TextPair)).num_rows == 16385


def test_rows_are_sorted_by_code_points_of_their_ids() -> None:
    table = sort_by_id(exemplars_to_table([exemplar("b"), exemplar("a/2"), exemplar("a/10")]))
    assert table.column("id").to_pylist() == ["a/10", "a/2", "b"]


@pytest.mark.parametrize(
    ("content", "message"), [(None, "no such file"), (b"PAR1 but not really", "unreadable_table")]
)
def test_a_table_that_cannot_be_read_is_reported_in_a_sentence(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "x").write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_table(tmp_path / "x", EXEMPLAR_SCHEMA)


def test_a_table_of_another_schema_is_refused(tmp_path: Path) -> None:
    write_table(tmp_path / "x", exemplars_to_table([]))
    with pytest.raises(
        UserError,
        match="found unexpected columns, expected a table of this version; run `dvc repro` to rebuild it",
    ):
        read_table(tmp_path / "x", RECORD_SCHEMA)


def test_a_table_of_version_1_is_named_as_such(tmp_path: Path) -> None:
    names = [name for name in EXEMPLAR_SCHEMA.names if name not in ("turn", "call", "speaker", "reply")]
    write_table(tmp_path / "x.parquet", exemplars_to_table([exemplar("a")]).select(names))
    expected = (
        "found rows of version 1, which have no `turn`; this is version 2, expected a table of this version"
    )
    with pytest.raises(UserError, match=expected):
        read_table(tmp_path / "x.parquet", EXEMPLAR_SCHEMA)
