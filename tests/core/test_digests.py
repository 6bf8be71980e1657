from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import pytest

from exemplars.core import digests
from exemplars.core.digests import (
    hash_content,
    hash_packed_split,
    hash_row,
    hash_split,
    hash_to_fraction,
    stamp_digest,
)
from exemplars.core.records import Argument, Exemplar, Grounding, Mode, Origin, Speaker, Turn

ROW = Exemplar(
    id="s:a.md#3",
    digest="",
    source="s",
    turn="s:a.md#3",
    call=0,
    service=None,
    skill="call",
    mode=Mode.NORMAL,
    speaker=Speaker.USER,
    utterance="call Maria",
    exemplar="call <contact>",
    arguments=(Argument("contact", "Maria", "Maria", 5, 10, Grounding.VERBATIM),),
    reply=None,
    context=(Turn(Speaker.ASSISTANT, "Yes?"),),
    group="s:a.md",
    license="MIT",
    origin=Origin("a.md", "0" * 64, "3"),
)


def test_the_digest_of_a_row_never_changes() -> None:
    assert hash_row(ROW) == "7f200d952b1cd97fda751b6616651d40223a673dd5cbcac237b356e69308009e"
    assert stamp_digest(ROW).digest == hash_row(ROW)


def test_the_digest_depends_on_all_that_is_said_and_meant() -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"context": ()},
        {"mode": Mode.NEGATIVE},
        {"speaker": Speaker.TOOL},
        {"reply": "Calling."},
        {"reply": ""},
        {"skill": "text"},
        {"arguments": ()},
    ]
    assert len({hash_row(msgspec.structs.replace(ROW, **change)) for change in changes}) == len(changes)


def test_the_digest_depends_neither_on_the_origin_nor_on_the_turn() -> None:
    other = msgspec.structs.replace(
        ROW,
        id="t:b#1",
        turn="t:b#0",
        call=1,
        source="t",
        group="g",
        license="X",
        origin=Origin("b", "1", "1"),
    )
    assert hash_row(other) == hash_row(ROW)


def test_the_data_hash_does_not_depend_on_the_order_of_rows() -> None:
    assert hash_split(["b", "a"]) == hash_split(["a", "b"]) == hash_content(b"a\nb\n")


def test_the_data_hash_of_nothing_is_that_of_no_bytes() -> None:
    assert hash_split([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_data_hash_of_packed_digests_is_the_same_if_a_part_of_them_is_sorted_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    packed = [hashlib.sha256(bytes([number])).digest() for number in range(200)]
    expected = hash_split(digest.hex() for digest in packed)
    assert hash_packed_split(lambda: [b"".join(packed[:90]), b"".join(packed[90:])], 200) == expected
    monkeypatch.setattr(digests, "_DIGESTS_AT_ONCE", 10)
    assert hash_packed_split(lambda: [b"".join(packed[:90]), b"", b"".join(packed[90:])], 200) == expected
    assert hash_packed_split(lambda: [], 0) == hash_split([])


def test_the_fraction_of_a_text_is_the_same_everywhere() -> None:
    assert hash_to_fraction("group", "salt") == 0.23579887105207764
    assert hash_to_fraction("group", "other salt") != hash_to_fraction("group", "salt")
