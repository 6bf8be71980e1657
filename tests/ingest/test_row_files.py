from __future__ import annotations

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.errors import UserError
from exemplars.core.ledger import Problem
from stages.ingest.row_files import FileRow, read_rows

ROWS = st.lists(
    st.dictionaries(
        st.sampled_from(["a", "b"]), st.text(st.characters(codec="utf-8"), max_size=5) | st.none()
    ),
    min_size=1,
    max_size=5,
)


def write_parquet(rows: list[dict[str, Any]]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, pa.schema([("a", pa.string()), ("b", pa.string())])), file)
    return file.getvalue()


def test_lines_have_a_line_number() -> None:
    assert list(read_rows("a.jsonl", b'{"a": 1}\n\n{"a": 2}\r\n')) == [
        FileRow("1", {"a": 1}),
        FileRow("3", {"a": 2}),
    ]


def test_items_of_an_array_have_pointers() -> None:
    assert list(read_rows("a.json", b'\xef\xbb\xbf [{"a": 1},\n 2]')) == [
        FileRow("/0", {"a": 1}),
        FileRow("/1", 2),
    ]


@given(ROWS)
def test_lines_arrays_and_parquet_give_the_same_rows(rows: list[dict[str, Any]]) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    contents = [row.content for row in read_rows("a", lines.encode())]
    assert contents == rows
    assert [row.content for row in read_rows("a", json.dumps(rows).encode())] == rows
    complete = [{"a": row.get("a"), "b": row.get("b")} for row in rows]
    assert [row.content for row in read_rows("a", write_parquet(complete))] == complete


@pytest.mark.parametrize(
    ("line", "sentence", "place"),
    [
        ('{"a": NaN}', "jSON is malformed: invalid character in", "a.jsonl:2:7"),
        ('{"a": "cut', "input data was truncated in", "a.jsonl:2:11"),
        ('{"a": 1, "a": 2}', "found the key 'a' twice in one object", "a.jsonl:2:10"),
        ("[" * 200 + "]" * 200, "JSON is nested more than 100 levels deep", "a.jsonl:2:401"),
        ('"' + "x" * 2**20 + '"', "found a record of 1,048,578 characters", ""),
    ],
)
def test_a_line_that_cannot_be_decoded_does_not_hide_the_others(line: str, sentence: str, place: str) -> None:
    first, damaged, last = read_rows("a.jsonl", f'{{"a": 0}}\n{line}\n{{"a": 3}}\n'.encode())
    assert (first.content, last.content) == ({"a": 0}, {"a": 3})
    assert isinstance(damaged.content, Problem)
    assert sentence.lower() in damaged.content.sentence.lower()
    assert damaged.content.place == place


@pytest.mark.parametrize(
    ("data", "contents"),
    [
        (
            b'[{"a": 1}, {"a": "]"}, {"a"',
            [{"a": 1}, {"a": "]"}, "input data was truncated"],
        ),
        (
            b'[{"a": 1}, {"a": NaN}, {"a": 2}]',
            [{"a": 1}, "jSON is malformed: invalid character in '{\"a\": NaN}'", {"a": 2}],
        ),
        (b'[{"a": 1}] []', [{"a": 1}, "jSON is malformed: trailing characters"]),
    ],
)
def test_a_damaged_array_is_read_as_far_as_it_goes(data: bytes, contents: list[Any]) -> None:
    rows = list(read_rows("a.json", data))
    assert [row.locator for row in rows] == [f"/{index}" for index in range(len(contents))]
    for row, content in zip(rows, contents, strict=True):
        if isinstance(content, str):
            assert isinstance(row.content, Problem)
            assert content.lower() in row.content.sentence.lower()
        else:
            assert row.content == content


def test_a_line_that_is_not_utf8_does_not_hide_the_others() -> None:
    first, damaged, last = read_rows("a.jsonl", b'{"a": 0}\n{"a": "caf\xe9"}\n{"a": 3}\n')
    assert (first.content, last.content) == ({"a": 0}, {"a": 3})
    assert isinstance(damaged.content, Problem)
    assert damaged.content.sentence.startswith("JSON is malformed: text that is not UTF-8")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "a.json, byte 0: empty_file: found an empty file"),
        (b"[]", "a.json: empty_file: found an empty array, expected at least one record"),
        (b"\xff\xfe[\x00", "a.json, byte 0: not_utf8"),
        (b'{\n"a": 1\n}', "a.json: wrong_shape: found one object over several lines, expected rows"),
        (write_parquet([]), "a.json: empty_file: found a table without rows"),
        (write_parquet([{"a": "x"}])[:-20], "a.json: unreadable_parquet: found .*, expected a Parquet file"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(data: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        list(read_rows("a.json", data))


def test_text_of_parquet_that_is_not_utf8_is_named() -> None:
    file = io.BytesIO()
    column = pa.array([b"caf\xe9"], pa.binary()).cast(pa.string(), safe=False)
    pq.write_table(pa.table({"a": column}), file)
    with pytest.raises(UserError, match=r"unreadable_parquet: found .*0xe9"):
        list(read_rows("a.parquet", file.getvalue()))
