"""Tombstones, and which rows they match."""

from __future__ import annotations

import re

import msgspec
import pytest

from exemplars.core.errors import UserError
from exemplars.core.records import LabelledArgument, Mode, Origin, Reason, Record, Rejection, Speaker, Turn
from exemplars.dataset.row_tables import records_to_table, rejections_to_table
from stages.ingest.tombstone_matching import match_rows
from stages.ingest.tombstones import (
    Erasures,
    Tombstone,
    decode_tombstones,
    encode_tombstones,
    hash_with_key,
    read_key,
)

KEY = b"a key of the tests"
PLACE = Origin("a.md", "0" * 64, "1")


def record(name: str, utterance: str, group: str = "g", context: tuple[str, ...] = ()) -> Record:
    return Record(
        id=name,
        turn=name,
        source="skills",
        utterance=utterance,
        mode=Mode.NORMAL,
        skill="call",
        service=None,
        arguments=(LabelledArgument("contact", "Ada Byron", ("the Countess",)),)
        if "call" in utterance
        else (),
        context=tuple(Turn(Speaker.USER, text) for text in context),
        group=group,
        license="Apache-2.0",
        origin=PLACE,
    )


def tombstone(**rule: str) -> Tombstone:
    return Tombstone(id="t1", reviewer="Kim", reason="asked for it", **rule)  # type: ignore[arg-type]


def match(records: list[Record], *tombstones: Tombstone, whole_groups: bool = False) -> list[str]:
    tables = (records_to_table(records), rejections_to_table([]))
    return sorted(match_rows(tables, Erasures(tombstones, KEY), whole_groups))


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
        ({"value": hash_with_key("ada byron", KEY)}, ["skills:a.md#1", "skills:a.md#12", "skills:a.md#3"]),
        ({"value": hash_with_key("Ada", KEY)}, ["skills:a.md#1", "skills:a.md#12", "skills:a.md#3"]),
        ({"value": hash_with_key("Adam", KEY)}, []),
    ],
)
def test_a_tombstone_matches_the_rows_that_say_it_and_those_that_quote_them(
    rule: dict[str, str], expected: list[str]
) -> None:
    assert match(ROWS, tombstone(**rule)) == expected


def test_with_whole_groups_a_row_takes_its_dialogue_with_it() -> None:
    assert match(ROWS, tombstone(place="skills:a.md#1"), whole_groups=True) == [
        "skills:a.md#1",
        "skills:a.md#3",
        "skills:b.md#1",
    ]


def test_a_redacted_row_stays_erased_and_its_old_line_number_matches_nothing() -> None:
    redacted = Tombstone(
        id="t1", place="skills:a.md#1", reviewer="Kim", reason="r", redacted={"skills:a.md#1": "f" * 64}
    )
    assert match([record("skills:a.md#2", "[erased]"), record("skills:a.md#1", "call off")], redacted) == [
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
    matches = match_rows(tables, Erasures((tombstone(pattern="Ada"),), KEY), False)
    assert sorted(matches) == ["x#1", "x#2"]


def test_a_ledger_row_without_a_text_is_redacted_if_its_reason_says_so() -> None:
    row = Rejection("x#1", "skills", "ingest", Reason.ERASED, "the example was erased", PLACE, "g")
    remembering = Tombstone(id="t1", place="x", reviewer="Kim", reason="r", redacted={"x#1": "f" * 64})
    assert match_rows((rejections_to_table([row]),), Erasures((remembering,), KEY), False) == {
        "x#1": remembering
    }


def test_tombstones_are_written_as_they_are_read() -> None:
    line = b'{"id":"t1","pattern":"Ada","reviewer":"Kim","reason":"asked for it"}\n'
    assert encode_tombstones(decode_tombstones("e.jsonl", line)) == line


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id": "a"', "input data was truncated"),
        ('{"id": "a", "pattern": "x", "reason": "r"}', "object missing required field `reviewer`"),
        (
            '{"id": "a", "reviewer": "k", "reason": "r"}',
            "found none of dialogue, place, value, pattern, expected one",
        ),
        (
            '{"id": "a", "place": "p", "pattern": "x", "reviewer": "k", "reason": "r"}',
            "found place and pattern of dialogue, place, value, pattern, expected one",
        ),
        (
            '{"id": "a", "pattern": "x*", "reviewer": "k", "reason": "r"}',
            "the pattern 'x*' matches every text",
        ),
        (
            '{"id": "a", "pattern": "(", "reviewer": "k", "reason": "r"}',
            "the pattern '(' is malformed: missing ), unterminated subpattern at position 0",
        ),
        (
            '{"id": "a", "value": "Ada", "reviewer": "k", "reason": "r"}',
            "the value 'Ada' is not a keyed hash",
        ),
        ('{"id": "a", "pattern": "x", "reviewer": " ", "reason": "r"}', "the reviewer is empty"),
        (
            '{"id": "a", "patern": "x", "reviewer": "k", "reason": "r"}',
            "object contains unknown field `patern`",
        ),
    ],
)
def test_a_malformed_tombstone_is_reported_with_its_line(line: str, message: str) -> None:
    with pytest.raises(UserError, match=f"erasures.jsonl:2: malformed_tombstone: {re.escape(message)}"):
        decode_tombstones("erasures.jsonl", f"\n{line}\n".encode())


def test_all_malformed_tombstones_and_repeated_ids_are_reported_together() -> None:
    good = '{"id": "a", "pattern": "x", "reviewer": "k", "reason": "r"}'
    with pytest.raises(UserError) as caught:
        decode_tombstones("e.jsonl", f"{good}\n{good}\n[]\n".encode())
    assert [diagnostic.place for diagnostic in caught.value.diagnostics] == ["e.jsonl:2", "e.jsonl:3"]
    assert "the id 'a' is already on line 1" in str(caught.value)


def test_a_key_that_is_too_short_is_reported() -> None:
    assert read_key({}) is None
    with pytest.raises(UserError, match="EXEMPLARS_ERASURE_KEY has only 5 characters"):
        read_key({"EXEMPLARS_ERASURE_KEY": "short"})


def test_a_value_cannot_be_matched_without_the_key() -> None:
    with pytest.raises(UserError, match=r"no_erasure_key: .*EXEMPLARS_ERASURE_KEY is not set"):
        match_rows((records_to_table(ROWS),), Erasures((tombstone(value="0" * 64),), None), False)


def test_a_pattern_is_searched_in_what_a_message_quotes_and_not_in_its_own_words() -> None:
    def ledger_row(name: str, message: str) -> Rejection:
        return Rejection(name, "skills", "ingest", Reason.MALFORMED_RECORD, message, PLACE, "g")

    rows = [
        ledger_row("x#1", "found.md:1: found 'x', expected one of found, lost; correct it"),
        ledger_row("x#2", "a.md:2: found 'lost and found', expected a call"),
        ledger_row("x#3", "a.md:3: the file's line is \"it's found\", expected a call"),
        ledger_row("x#4", "a.md:4: found 'C:\\x', expected a call"),
    ]
    matches = match_rows((rejections_to_table(rows),), Erasures((tombstone(pattern="found"),), KEY), False)
    assert sorted(matches) == ["x#2", "x#3"]


def test_a_rejected_row_takes_the_records_of_its_dialogue_with_it() -> None:
    rejected = Rejection("sgd:d#/0/turns/2", "sgd", "ingest", Reason.NO_NEW_MEANING, "m", PLACE, "sgd:1_0")
    tables = (
        records_to_table([record("sgd:d#/0/turns/0", "call", "sgd:1_0"), record("sgd:d#/1", "a", "sgd:1_1")]),
        rejections_to_table([rejected]),
    )
    matches = match_rows(tables, Erasures((tombstone(place="sgd:d#/0/turns/2"),), KEY), True)
    assert sorted(matches) == ["sgd:d#/0/turns/0", "sgd:d#/0/turns/2"]


def test_a_record_that_quotes_a_rejected_row_is_taken_along() -> None:
    said = "please ring Augusta Byron"
    rejected = Rejection("x#1", "skills", "ingest", Reason.UNKNOWN_SKILL, "m", PLACE, "other", utterance=said)
    tables = (records_to_table([record("x#2", "and again", "g", (said,))]), rejections_to_table([rejected]))
    assert sorted(match_rows(tables, Erasures((tombstone(place="x#1"),), KEY), False)) == ["x#1", "x#2"]


def test_a_quotation_in_another_group_counts_if_nobody_else_says_it() -> None:
    rows = [
        record("x#1", "please ring Augusta Byron", "first"),
        record("x#2", "thank you very much", "first"),
        record("x#3", "thank you very much", "second"),
        record("x#4", "and now?", "third", ("please ring Augusta Byron",)),
        record("x#5", "and now?", "fourth", ("thank you very much",)),
    ]
    assert match(rows, tombstone(place="x#1")) == ["x#1", "x#4"]
    assert match(rows, tombstone(place="x#2")) == ["x#2"]


def test_texts_of_emoji_alone_have_hashes_of_their_own() -> None:
    hashes = {hash_with_key(text, KEY) for text in ("👍👍", "👎", "!!!", "👍👍 ")}
    assert len(hashes) == 3


def test_a_tombstone_with_a_key_twice_is_refused_with_its_line() -> None:
    line = b'{"id": "t1", "place": "skills:a.md#1", "place": "skills:a.md#2", "reviewer": "r", "reason": "x"}'
    with pytest.raises(
        UserError, match=r"^e.jsonl:2: malformed_tombstone: found the key 'place' twice in one object"
    ):
        decode_tombstones("e.jsonl", b"\n" + line)


def test_a_call_takes_the_other_calls_of_its_turn_with_it() -> None:
    rows = [
        msgspec.structs.replace(record(f"mine:a.jsonl#{name}", text), turn=turn)
        for name, turn, text in (
            ("1/calls/0", "mine:a.jsonl#1", "call and text Ada"),
            ("1/calls/1", "mine:a.jsonl#1", "text Ada as well"),
            ("2", "mine:a.jsonl#2", "text Ada as well"),
        )
    ]
    expected = ["mine:a.jsonl#1/calls/0", "mine:a.jsonl#1/calls/1"]
    assert match(rows, tombstone(place="mine:a.jsonl#1/calls/0")) == expected
    assert match(rows, tombstone(place="mine:a.jsonl#1")) == expected
    assert match(rows, tombstone(pattern="Countess")) == expected


def test_a_rejected_call_takes_the_rest_of_its_turn_with_it() -> None:
    def rejection(name: str, reason: Reason, text: str = "call Ada") -> Rejection:
        return Rejection(f"mine:a.jsonl#{name}", "mine", "ingest", reason, "x", PLACE, "g", None, None, text)

    ledger = [
        rejection("1", Reason.INVALID_VALUE),
        rejection("2", Reason.INCOMPLETE_TURN),
        rejection("3", Reason.INVALID_VALUE, "call Bob"),
        rejection("4", Reason.INVALID_VALUE, "call Bob"),
        rejection("5/calls/0", Reason.INVALID_VALUE, "text Bob"),
        rejection("5/calls/1", Reason.INCOMPLETE_TURN, "text Bob"),
    ]
    tables = (records_to_table([]), rejections_to_table(ledger))

    def match_place(place: str) -> list[str]:
        return sorted(match_rows(tables, Erasures((tombstone(place=place),), KEY), False))

    assert match_place("mine:a.jsonl#1") == ["mine:a.jsonl#1", "mine:a.jsonl#2"]
    assert match_place("mine:a.jsonl#3") == ["mine:a.jsonl#3"]
    assert match_place("mine:a.jsonl#5/calls/1") == ["mine:a.jsonl#5/calls/0", "mine:a.jsonl#5/calls/1"]
