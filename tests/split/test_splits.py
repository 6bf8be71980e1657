from __future__ import annotations

import msgspec
import pyarrow as pa
import pytest

from exemplars.core.digests import stamp_digest
from exemplars.core.errors import UserError
from exemplars.core.records import Exemplar, Mode, Origin, Reason, Speaker, TextPair
from exemplars.core.tables import rows_to_table
from exemplars.dataset.row_tables import exemplars_to_table
from stages.split import leaks
from stages.split.outputs import build_split_manifest
from stages.split.params import Leaks, Official, Ratios, SplitParams
from stages.split.report import build_split_report
from tests.split.splits import split_exemplars

PARAMS = SplitParams(Ratios(train=0.8, validation=0.1, test=0.1), "salt", Official.KEEP)

NO_PAIRS = rows_to_table([], TextPair)


def row(number: int, utterance: str = "", split: str | None = None, skill: str | None = None) -> Exemplar:
    text = utterance or f"text {number}"
    row = Exemplar(
        id=f"s:a#{number:03}",
        digest="",
        source="s",
        turn=f"s:a#{number:03}",
        call=0,
        service=None,
        skill=skill,
        mode=Mode.NORMAL,
        speaker=Speaker.USER,
        utterance=text,
        exemplar=text,
        arguments=(),
        reply=None,
        context=(),
        group=f"s:{number}",
        license="MIT",
        origin=Origin("a", "0" * 64, str(number)),
        split=split,
    )
    return stamp_digest(row)


def list_ids(table: pa.Table) -> list[str]:
    ids: list[str] = table.column("id").to_pylist()
    return ids


def test_every_row_is_in_one_split_or_in_the_ledger() -> None:
    table = exemplars_to_table([row(number, f"text {number % 50}") for number in range(100)])
    result = split_exemplars(table, NO_PAIRS, PARAMS)
    rejected = [rejection.id for rejection in result.rejections]
    kept = [row_id for part in result.tables.values() for row_id in list_ids(part)]
    assert sorted([*kept, *rejected]) == list_ids(table)
    assert len(rejected) > 0


def test_official_splits_are_kept_or_hashed_again() -> None:
    table = exemplars_to_table([row(number, split="test") for number in range(10)])
    assert split_exemplars(table, NO_PAIRS, PARAMS).tables["test"].num_rows == 10
    rehashed = split_exemplars(table, NO_PAIRS, SplitParams(PARAMS.ratios, "salt", Official.REHASH))
    assert {name: part.num_rows for name, part in rehashed.tables.items()} == {
        "train": 9,
        "validation": 1,
        "test": 0,
    }


def test_generated_rows_are_in_train_however_official_splits_are_assigned() -> None:
    table = exemplars_to_table([row(number, split="train") for number in range(100)])
    rehash = SplitParams(PARAMS.ratios, "salt", Official.REHASH)
    assert split_exemplars(table, NO_PAIRS, rehash).tables["test"].num_rows > 0
    assert split_exemplars(table, NO_PAIRS, rehash, (), {"s"}).tables["train"].num_rows == 100


def test_a_leaked_row_goes_to_the_ledger_with_the_row_that_shows_it() -> None:
    table = exemplars_to_table([row(1, "call mum", "train"), row(2, "Call mum!", "test")])
    [rejection] = split_exemplars(table, NO_PAIRS, PARAMS).rejections
    assert (rejection.id, rejection.stage, rejection.reason, rejection.utterance) == (
        "s:a#001",
        "split",
        Reason.LEAKED,
        "call mum",
    )
    assert rejection.message == (
        "a:1: found the same utterance as s:a#002, which is in test; to keep this row, reword one of the two"
    )


def test_the_manifest_has_the_data_hash_of_each_split() -> None:
    table = exemplars_to_table([row(1, split="train"), row(2, split="test")])
    assert build_split_manifest(split_exemplars(table, NO_PAIRS, PARAMS).summaries, PARAMS) == {
        "salt": "salt",
        "official": "keep",
        "splits": {
            "train": {
                "rows": 1,
                "groups": 1,
                "data_hash": "f3b87f987f573ef9bf133866e14c72521b780afb39d369fa380f649b382ba254",
            },
            "validation": {
                "rows": 0,
                "groups": 0,
                "data_hash": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            },
            "test": {
                "rows": 1,
                "groups": 1,
                "data_hash": "5b73fa58a848c11f71d44fe2cce33b5cfaf10c3683c30322afc3613152946e79",
            },
        },
    }


def test_the_report_counts_rows_leaks_and_missing_skills() -> None:
    table = exemplars_to_table(
        [
            row(1, "call mum", "train", "call"),
            row(2, "call dad", "train", "call"),
            row(3, "Call mum", "test", "call"),
            row(4, "um", "validation"),
        ]
    )
    result = split_exemplars(table, NO_PAIRS, PARAMS)
    assert build_split_report(result.plan, result.summaries, result.counts, {"test": 1}) == {
        "exemplars": 4,
        "rows": {"train": 1, "validation": 1, "test": 1},
        "speech_views": {"test": 1},
        "leaked": 1,
        "leaked_by_source": {"s": 1},
        "rescued_groups": 0,
        "skills_missing": {"train": ["(none)"], "validation": ["call"], "test": ["(none)"]},
        "rows_by_skill": {"train": {"call": 1}, "validation": {"(none)": 1}, "test": {"call": 1}},
    }


@pytest.mark.parametrize("turns", [0, 3])
def test_no_rows_make_empty_splits(turns: int) -> None:
    result = split_exemplars(
        exemplars_to_table([]), NO_PAIRS, SplitParams(PARAMS.ratios, "salt", Official.KEEP, Leaks(turns))
    )
    assert [part.num_rows for part in result.tables.values()] == [0, 0, 0]


def test_a_near_duplicate_goes_to_the_ledger_and_says_so() -> None:
    table = exemplars_to_table([row(1, "call my mum", "train"), row(2, "call my mum now", "test")])
    pairs = rows_to_table([TextPair("utterance", "call my mum", "call my mum now", 0.8)], TextPair)
    [rejection] = split_exemplars(table, pairs, PARAMS).rejections
    assert "found nearly the same utterance as s:a#002, which is in test" in rejection.message


def make_turns(groups: int) -> list[Exemplar]:
    """Make a turn of three calls of different skills for each group."""
    return [
        msgspec.structs.replace(
            row(number * 3 + call, f"text {number}", skill=f"skill {call}"),
            turn=f"turn {number}",
            call=call,
            group=f"g{number}",
        )
        for number in range(groups)
        for call in range(3)
    ]


def test_the_calls_of_a_turn_are_in_one_split_also_where_a_skill_is_rescued() -> None:
    result = split_exemplars(exemplars_to_table(make_turns(8)), NO_PAIRS, PARAMS)
    turns = {name: set(table.column("turn").to_pylist()) for name, table in result.tables.items()}
    assert {name: len(names) for name, names in turns.items()} == {"train": 5, "validation": 1, "test": 2}
    assert sum(table.num_rows for table in result.tables.values()) == 24
    assert not turns["train"] & turns["test"] | turns["train"] & turns["validation"]


def test_the_order_of_the_rows_does_not_change_their_splits() -> None:
    rows = make_turns(8)
    backwards = split_exemplars(exemplars_to_table(rows[::-1]), NO_PAIRS, PARAMS).tables
    for name, table in split_exemplars(exemplars_to_table(rows), NO_PAIRS, PARAMS).tables.items():
        assert sorted(list_ids(backwards[name])) == list_ids(table)


def test_a_turn_in_two_groups_is_an_error() -> None:
    first, second, *_ = make_turns(1)
    table = exemplars_to_table([first, msgspec.structs.replace(second, group="other")])
    with pytest.raises(
        UserError,
        match=r"torn_turn: found calls of turn turn 0 in the groups g0, other, expected one group; give all calls",
    ):
        split_exemplars(table, NO_PAIRS, PARAMS)


@pytest.mark.parametrize("workers", [2, 4])
def test_row_groups_and_workers_change_nothing(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ("call mum", "Call Mum!", "play some jazz", "ring dad now", "stop")
    rows = [
        msgspec.structs.replace(call, utterance=f"{texts[number % 5]} {number % 7}")
        for number, call in enumerate(make_turns(14))
    ]
    table = exemplars_to_table(rows)
    pairs = rows_to_table([TextPair("utterance", "call mum 1", "ring dad now 3", 0.8)], TextPair)
    whole = split_exemplars(table, pairs, PARAMS)
    assert len(whole.rejections) > 3
    monkeypatch.setattr(leaks, "_CHUNK", 3)
    divided = split_exemplars(table, pairs, PARAMS, row_group=4, workers=workers)
    assert divided.tables == whole.tables
    assert divided.summaries == whole.summaries
    assert divided.counts == whole.counts
    assert divided.rejections == whole.rejections
