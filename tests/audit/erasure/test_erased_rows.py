"""Which rows of a table were derived from an erased row, whatever they say."""

from __future__ import annotations

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exemplars.audit.erasure.identity import RowIdentity, find_derived_rows, make_origin_key, make_text_key
from exemplars.audit.erasure.search import (
    SearchTerms,
    fold_text,
    list_document_strings,
    make_matcher,
    parse_table,
)
from exemplars.core.digests import hash_content
from exemplars.core.records import Mode, Origin, Template
from exemplars.core.tables import rows_to_table

HERE = Origin("call.md", "a" * 64, "7")
ELSEWHERE = Origin("call.md", "b" * 64, "7")
IDENTITY = RowIdentity(
    ids=frozenset({"skills:call.md#7"}),
    origins=frozenset({make_origin_key(HERE)}),
    other_origins=frozenset({make_origin_key(ELSEWHERE)}),
    other_texts=frozenset({make_text_key("skills:call.md#7", "ring the office")}),
    digests=frozenset({"d1"}),
    neighbors=frozenset({"skills:call.md#7"}),
)


def place(origin: Origin) -> dict[str, str]:
    return {"path": origin.path, "sha256": origin.sha256, "locator": origin.locator}


UNKNOWN = Origin("call.md", "c" * 64, "7")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"id": "skills:call.md#7", "origin": place(HERE)}, True),
        ({"id": "skills:call.md#7~speech", "origin": place(HERE), "utterance": "other words"}, True),
        ({"id": "skills:call.md#7~speech", "origin": place(UNKNOWN), "utterance": "other words"}, True),
        ({"id": "skills:call.md#7~speech@slot:contact", "exemplar_id": "skills:call.md#7~speech"}, True),
        ({"id": "skills:call.md#7@skill", "input_ids": [1, 2]}, True),
        ({"id": "skills:call.md#12", "origin": place(HERE)}, True),
        ({"id": "skills:call.md#12~speech", "origin": place(HERE)}, True),
        ({"id": "skills:call.md#12", "digest": "d1"}, True),
        ({"id": "skills:call.md#t", "exemplar_ids": ["skills:a.md#1", "skills:call.md#7"]}, True),
        ({"id": "skills:call.md#t~speech", "exemplar_ids": ["skills:call.md#7~speech"]}, True),
        ({"id": "skills:call.md#t", "exemplar_ids": ["skills:a.md#1", "skills:call.md#70"]}, False),
        ({"id": "skills:call.md#t", "exemplar_ids": ["skills:a.md#1"], "digests": ["d0", "d1"]}, True),
        ({"id": "skills:call.md#t", "exemplar_ids": ["skills:a.md#1"], "digests": ["d0"]}, False),
        ({"id": "sgd:x#/0", "nearest": ["skills:other.md#1", "skills:call.md#7"]}, True),
        ({"id": "skills:call.md#7", "utterance": "ring Augusta"}, True),
        ({"id": "skills:call.md#7", "utterance": None}, True),
        ({"id": "skills:call.md#7", "utterance": "ring the office"}, False),
        ({"id": "skills:call.md#7", "origin": place(ELSEWHERE)}, False),
        ({"id": "skills:call.md#70", "origin": place(UNKNOWN)}, False),
        ({"id": "skills:call.md#7", "origin": place(HERE), "reason": "erased"}, False),
        ({"id": "skills:call.md#7", "origin": place(HERE), "reason": "leaked"}, True),
        ({"first": "ring augusta", "second": "ring agusta"}, False),
    ],
)
def test_a_row_is_known_by_its_id_its_place_its_digest_or_its_neighbor(
    row: dict[str, Any], expected: bool
) -> None:
    assert find_derived_rows(pa.Table.from_pylist([row]), IDENTITY).to_pylist() == [expected]


def test_a_table_without_rows_has_no_derived_row() -> None:
    table = pa.table({"id": pa.array([], pa.string()), "nearest": pa.array([], pa.list_(pa.string()))})
    assert find_derived_rows(table, IDENTITY).to_pylist() == []


def test_a_raw_file_is_known_by_its_hash_whatever_else_it_holds() -> None:
    data = b"### User: ok\n"
    matches = make_matcher(SearchTerms(frozenset(), {}, raw_files=frozenset({hash_content(data)})))
    assert (matches(data), matches(b"### User: okay\n")) == (True, False)


def test_a_short_value_is_found_as_a_whole_string_of_a_document_and_not_within_one() -> None:
    matches = make_matcher(SearchTerms(frozenset(), {}, strings=frozenset({"Bo"})))
    documents = ({"labels": ["Bo"]}, {"Bo": 1}, {"labels": ["Boston"]})
    assert [matches(json.dumps(document).encode()) for document in documents] == [True, True, False]
    assert [matches(line) for line in (b"### User: Bo\n", b"### User: ring Bo\n")] == [True, False]


def test_near_duplicates_are_found_however_they_were_normalized() -> None:
    assert [fold_text(text) for text in ("Ring <contact>, it's 5:31!", "ring contact its 531", "🦑 ")] == [
        "ringcontactits531",
        "ringcontactits531",
        "🦑",
    ]


def test_a_document_that_is_cut_off_or_nested_deeply_is_read_line_by_line() -> None:
    deep = "[" * 100_000
    assert list(list_document_strings(b'{"a": "b"\n["c"]')) == ['{"a": "b"', '["c"]', "c"]
    assert list(list_document_strings(deep.encode())) == [deep]


def test_what_scripts_of_a_page_escape_is_found() -> None:
    text = "say <b>hello</b> to Zoë & sons"
    matches = make_matcher(SearchTerms(frozenset({text}), {}))
    assert matches(json.dumps(text, ensure_ascii=False).replace("<", "\\u003c").encode())
    assert matches("say &lt;b&gt;hello&lt;/b&gt; to Zoë &amp; sons".encode())


def test_what_a_template_says_is_searched_like_an_utterance() -> None:
    row = Template(
        "bots:e.json#/ring/0", "bots", "ring", "ring <who> at Ada's", Mode.NORMAL, (), "g", "MIT", HERE
    )
    file = io.BytesIO()
    pq.write_table(rows_to_table([row], Template), file)
    table = parse_table(file.getvalue(), ("id", "utterance"))
    assert table is not None
    assert table.to_pylist() == [{"id": row.id, "utterance": row.template}]
    assert make_matcher(SearchTerms(frozenset(), {row.id: row.template}))(file.getvalue())
    assert not make_matcher(SearchTerms(frozenset(), {row.id: "ring me"}))(file.getvalue())
