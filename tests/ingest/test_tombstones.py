"""Tombstones, and which rows they mean."""

from __future__ import annotations

import pytest

from exemplars.core.errors import UserError
from exemplars.core.records import LabelledArgument, Mode, Origin, Reason, Record, Rejection, Speaker, Turn
from exemplars.dataset.row_tables import records_to_table, rejections_to_table
from stages.ingest.tombstones import (
    Erasures,
    Tombstone,
    decode_tombstones,
    encode_tombstones,
    erasure_key,
    keyed_hash,
    matched_rows,
)

KEY = b"a key of the tests"
PLACE = Origin("a.md", "0" * 64, "1")


def record(name: str, utterance: str, group: str = "g", context: tuple[str, ...] = ()) -> Record:
    return Record(
        id=name,
        source="skills",
        utterance=utterance,
        mode=Mode.NORMAL,
        skill="call",
        service=None,
        arguments=(LabelledArgument("contact", "Ada Byron", ("the Countess",)),)
        if "call" in utterance
        else (),
        context=tuple(Turn(Speaker.USER, one) for one in context),
        group=group,
        license="Apache-2.0",
        origin=PLACE,
    )


def tombstone(**rule: str) -> Tombstone:
    return Tombstone(id="t1", reviewer="Kim", reason="asked for it", **rule)  # type: ignore[arg-type]


def matched(records: list[Record], *tombstones: Tombstone, whole_groups: bool = False) -> list[str]:
    tables = (records_to_table(records), rejections_to_table([]))
    return sorted(matched_rows(tables, Erasures(tombstones, KEY), whole_groups))


ROWS = [
    record("skills:a.md#1", "call the Countess", "sgd:train/1_0"),
    record("skills:a.md#12", "thanks, Ada Byron", "sgd:train/11_0"),
    record("skills:a.md#3", "and now?", "sgd:train/1_0", ("call the Countess",)),
    record("skills:b.md#1", "no more", "sgd:train/1_0"),
]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"dialogue": "1_0"}, ["skills:a.md#1", "skills:a.md#3", "skills:b.md#1"]),
        ({"dialogue": "sgd:train/11_0"}, ["skills:a.md#12"]),
        ({"place": "skills:a.md#1"}, ["skills:a.md#1", "skills:a.md#3"]),
        ({"place": "skills:b.md"}, ["skills:b.md#1"]),
        ({"pattern": "(?i)countess"}, ["skills:a.md#1", "skills:a.md#3"]),
        ({"value": keyed_hash("ada byron", KEY)}, ["skills:a.md#1", "skills:a.md#12", "skills:a.md#3"]),
        ({"value": keyed_hash("Ada", KEY)}, ["skills:a.md#1", "skills:a.md#12", "skills:a.md#3"]),
        ({"value": keyed_hash("Adam", KEY)}, []),
    ],
)
def test_a_tombstone_means_what_says_it_and_what_quotes_that(
    rule: dict[str, str], expected: list[str]
) -> None:
    assert matched(ROWS, tombstone(**rule)) == expected


def test_in_dialogues_a_row_takes_its_dialogue_with_it() -> None:
    assert matched(ROWS, tombstone(place="skills:a.md#1"), whole_groups=True) == [
        "skills:a.md#1",
        "skills:a.md#3",
        "skills:b.md#1",
    ]


def test_what_is_redacted_stays_erased_and_its_line_number_means_nothing_any_more() -> None:
    gone = Tombstone(
        id="t1", place="skills:a.md#1", reviewer="Kim", reason="r", redacted={"skills:a.md#1": "f" * 64}
    )
    assert matched([record("skills:a.md#2", "[erased]"), record("skills:a.md#1", "call off")], gone) == [
        "skills:a.md#2"
    ]


def test_a_ledger_row_is_found_by_its_text_and_by_its_message() -> None:
    rows = [
        Rejection("x#1", "skills", "ingest", Reason.MALFORMED_RECORD, "found 'Ada Byron'", PLACE, "g"),
        Rejection(
            "x#2", "skills", "ingest", Reason.MALFORMED_RECORD, "found 'x'", PLACE, "g", utterance="Ada"
        ),
        Rejection("x#3", "skills", "ingest", Reason.MALFORMED_RECORD, "found 'x'", PLACE, "g"),
    ]
    tables = (records_to_table([]), rejections_to_table(rows))
    found = matched_rows(tables, Erasures((tombstone(pattern="Ada"),), KEY), False)
    assert sorted(found) == ["x#1", "x#2"]


def test_tombstones_are_written_as_they_are_read() -> None:
    line = b'{"id":"t1","pattern":"Ada","reviewer":"Kim","reason":"asked for it"}\n'
    assert encode_tombstones(decode_tombstones("e.jsonl", line)) == line


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('{"id": "a"', "Input data was truncated"),
        ('{"id": "a", "pattern": "x", "reason": "r"}', "missing required field `reviewer`"),
        ('{"id": "a", "reviewer": "k", "reason": "r"}', "found none of dialogue, place, value, pattern"),
        (
            '{"id": "a", "place": "p", "pattern": "x", "reviewer": "k", "reason": "r"}',
            "found place and pattern of dialogue, place, value, pattern",
        ),
        ('{"id": "a", "pattern": "x*", "reviewer": "k", "reason": "r"}', "which every text has"),
        ('{"id": "a", "pattern": "(", "reviewer": "k", "reason": "r"}', "unterminated subpattern"),
        ('{"id": "a", "value": "Ada", "reviewer": "k", "reason": "r"}', "'Ada', which is no keyed hash"),
        ('{"id": "a", "pattern": "x", "reviewer": " ", "reason": "r"}', "an empty reviewer"),
        ('{"id": "a", "patern": "x", "reviewer": "k", "reason": "r"}', "unknown field `patern`"),
    ],
)
def test_a_malformed_tombstone_is_told_with_its_line(line: str, found: str) -> None:
    with pytest.raises(
        UserError, match=f"erasures.jsonl:2: malformed_tombstone: .*{found}".replace("*,", r"\*,")
    ):
        decode_tombstones("erasures.jsonl", f"\n{line}\n".encode())


def test_all_malformed_tombstones_are_told_at_once_and_an_id_only_once() -> None:
    good = '{"id": "a", "pattern": "x", "reviewer": "k", "reason": "r"}'
    with pytest.raises(UserError) as caught:
        decode_tombstones("e.jsonl", f"{good}\n{good}\n[]\n".encode())
    assert [one.place for one in caught.value.diagnostics] == ["e.jsonl:2", "e.jsonl:3"]
    assert "the id 'a', which line 1 has, too" in str(caught.value)


def test_a_key_is_long_enough_or_it_is_told() -> None:
    assert erasure_key({}) is None
    with pytest.raises(UserError, match="EXEMPLARS_ERASURE_KEY with 5 characters"):
        erasure_key({"EXEMPLARS_ERASURE_KEY": "short"})


def test_a_value_cannot_be_looked_for_without_the_key() -> None:
    with pytest.raises(UserError, match=r"no_erasure_key: .*EXEMPLARS_ERASURE_KEY not set"):
        matched_rows((records_to_table(ROWS),), Erasures((tombstone(value="0" * 64),), None), False)
