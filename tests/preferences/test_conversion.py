from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.errors import UserError
from exemplars.models.preference_log import list_pairs, read_preference_lines
from exemplars.preferences.conversion import convert_file
from exemplars.preferences.preference_file import append_conversion, withdraw_pair

ITEM = {"prompt": "hi", "chosen": "Yes.", "rejected": "No."}
OWN = {"version": 1, "id": "p1", "row": "d", "chosen": "a", "rejected": "b", "source": "written"}


def encode(*items: Any) -> bytes:
    return "\n".join(map(json.dumps, items)).encode()


def test_every_item_is_a_preference_or_is_named_with_its_reason() -> None:
    data = encode(ITEM, {"text": "hi"}, ITEM, OWN, {**OWN, "version": 9}) + b"\n{broken\n"
    conversion = convert_file("a.jsonl", data, "MIT")
    assert [(pair.origin, pair.license, pair.source) for pair in conversion.pairs] == [
        ("a.jsonl:1", "MIT", "imported"),
        (None, None, "written"),
    ]
    assert [(item.place, item.reason, item.message.partition(";")[0]) for item in conversion.left_out] == [
        ("a.jsonl:2", "malformed_record", "found the keys text, expected chosen and rejected"),
        ("a.jsonl:3", "duplicate_record", "the same preference as a.jsonl:1"),
        ("a.jsonl:5", "malformed_record", "found a line of version 9, expected version 1"),
        ("a.jsonl:6", "malformed_record", "JSON is malformed: object keys must be strings in '{broken'"),
    ]


def test_an_item_of_an_array_has_a_pointer_as_its_place() -> None:
    data = json.dumps([ITEM, {**ITEM, "chosen": [{"role": "bot"}]}]).encode()
    (item,) = convert_file("a.json", data, "MIT").left_out
    assert item.place == "a.json#/1/chosen/0/role"


def test_texts_without_a_license_are_not_added() -> None:
    with pytest.raises(
        UserError, match=r"a.jsonl:2: no_license: its texts come without a license; add --license"
    ):
        convert_file("a.jsonl", encode(OWN, ITEM), None)


def test_what_is_there_already_is_named_and_not_added_again(tmp_path: Path) -> None:
    path = tmp_path / "preferences.jsonl"
    path.write_bytes(b'\n{"version": 1, "id": "torn')
    first = append_conversion(convert_file("a.jsonl", encode(ITEM, OWN), "MIT"), path)
    again = append_conversion(convert_file("b.jsonl", encode(ITEM), "MIT"), path)
    assert (len(first.pairs), len(again.pairs)) == (2, 0)
    assert [(item.place, item.message) for item in again.left_out] == [
        ("b.jsonl:1", "the preference is there already")
    ]
    assert list_pairs(read_preference_lines(path.read_bytes())) == list(first.pairs)


def test_a_preference_is_withdrawn_once(tmp_path: Path) -> None:
    path = tmp_path / "preferences.jsonl"
    append_conversion(convert_file("a.jsonl", encode(OWN), None), path)
    withdraw_pair("p1", "w1", "2026-11-27T20:00:00Z", path)
    assert list_pairs(read_preference_lines(path.read_bytes())) == []
    with pytest.raises(UserError, match=r"unknown_preference: found the id 'p1', expected one that counts"):
        withdraw_pair("p1", "w2", "2026-11-27T20:00:00Z", path)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["hi", "", "user", "assistant"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["prompt", "chosen", "rejected", "label", "messages", "role", "content", "from", "value"]),
        inner,
        max_size=4,
    ),
    max_leaves=8,
)  # fmt: skip


@given(items=st.lists(VALUES, min_size=1, max_size=5))
def test_no_item_is_lost_whatever_it_is(items: list[Any]) -> None:
    conversion = convert_file("a.json", json.dumps(items).encode(), "MIT")
    assert len(conversion.pairs) + len(conversion.left_out) == len(items)
