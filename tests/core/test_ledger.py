from __future__ import annotations

import pytest

from exemplars.core.errors import UserError
from exemplars.core.ledger import Ledger, Problem, check_conservation, format_place, reject_row
from exemplars.core.records import Mode, Origin, Reason, Record, Rejection

NOT_FOUND = Problem(
    Reason.VALUE_NOT_FOUND, "no mention of 'Oslo'", "one", "say it in the text", slot="target"
)
UNKNOWN = Problem(
    Reason.UNKNOWN_SLOT, "slot 'mast'", "one of source, target", "correct the slot", slot="mast"
)


def record(row_id: str, locator: str = "3") -> Record:
    return Record(
        id=row_id,
        turn=row_id,
        source="trips",
        utterance="to Rome",
        mode=Mode.NORMAL,
        skill="trip",
        service=None,
        arguments=(),
        context=(),
        group="g",
        license="MIT",
        origin=Origin("a.md", "0", locator),
    )


def test_a_rejection_has_the_identity_of_its_row_and_the_reason_and_slot_of_the_first_problem() -> None:
    assert reject_row(record("trips:a.md#3"), "compile", [NOT_FOUND, UNKNOWN]) == Rejection(
        id="trips:a.md#3",
        source="trips",
        stage="compile",
        reason=Reason.VALUE_NOT_FOUND,
        message=(
            "a.md:3: found no mention of 'Oslo', expected one; say it in the text; "
            "found slot 'mast', expected one of source, target; correct the slot"
        ),
        origin=Origin("a.md", "0", "3"),
        group="g",
        skill="trip",
        slot="target",
        utterance="to Rome",
    )


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (Problem(Reason.LEAKED, "a twin in test"), "a.md:3: found a twin in test"),
        (Problem(Reason.LEAKED, "a twin", fix="remove it"), "a.md:3: found a twin; remove it"),
        (Problem(Reason.LEAKED, "", summary="it is in test, too"), "a.md:3: it is in test, too"),
        (
            Problem(Reason.LEAKED, "", fix="remove it", summary="it is in test, too", place="a.md:3:9"),
            "a.md:3:9: it is in test, too; remove it",
        ),
    ],
)
def test_a_message_has_the_place_and_the_sentence_of_the_problem(problem: Problem, message: str) -> None:
    assert reject_row(record("a"), "split", [problem]).message == message


@pytest.mark.parametrize(
    ("locator", "place"), [("12", "a.md:12"), ("/3/turns/4", "a.md#/3/turns/4"), ("", "a.md")]
)
def test_a_line_comes_after_a_colon_and_a_json_pointer_after_a_hash_sign(locator: str, place: str) -> None:
    assert format_place(Origin("a.md", "0", locator)) == place


@pytest.mark.parametrize(
    ("reason", "utterance"),
    [(Reason.PERSONAL_DATA, None), (Reason.ERASED, None), (Reason.LOW_QUALITY, "to Rome")],
)
def test_the_text_of_a_private_or_erased_row_is_not_kept(reason: Reason, utterance: str | None) -> None:
    assert reject_row(record("a"), "curate", [Problem(reason, "it")]).utterance == utterance


def test_rows_are_kept_in_their_order_and_the_others_are_rejected() -> None:
    ledger = Ledger("compile")
    rows = [record("c"), record("a"), record("b")]
    assert ledger.keep(rows, lambda row: NOT_FOUND if row.id == "a" else None) == [rows[0], rows[2]]
    assert [(rejection.id, rejection.stage) for rejection in ledger.rejections] == [("a", "compile")]


def test_rows_are_dropped_by_their_ids() -> None:
    ledger = Ledger("split")
    rows = [record("c"), record("a"), record("b")]
    assert ledger.drop(rows, {"b": UNKNOWN, "c": NOT_FOUND, "other": UNKNOWN}) == [rows[1]]
    assert [(rejection.id, rejection.reason) for rejection in ledger.rejections] == [
        ("b", Reason.UNKNOWN_SLOT),
        ("c", Reason.VALUE_NOT_FOUND),
    ]


def test_rejections_are_sorted_by_id_and_reason() -> None:
    ledger = Ledger("compile")
    ledger.reject(record("b"), NOT_FOUND)
    ledger.reject(record("a"), NOT_FOUND, UNKNOWN)
    ledger.reject(record("a"), UNKNOWN)
    assert [(rejection.id, rejection.reason) for rejection in ledger.rejections] == [
        ("a", Reason.UNKNOWN_SLOT),
        ("a", Reason.VALUE_NOT_FOUND),
        ("b", Reason.VALUE_NOT_FOUND),
    ]


def test_every_record_is_kept_or_rejected() -> None:
    ledger = Ledger("compile")
    ledger.reject(record("a"), NOT_FOUND)
    ledger.check_conservation(records=3, kept=2)
    with pytest.raises(UserError) as caught:
        ledger.check_conservation(records=3, kept=1)
    assert str(caught.value) == (
        "stage compile: lost_records: found 3 records in, 1 kept and 1 rejected, "
        "expected records in = kept + rejected; report this as a bug, with the input"
    )


def test_a_row_that_is_kept_and_rejected_is_reported_too() -> None:
    with pytest.raises(UserError, match="found 3 records in, 3 kept and 1 rejected"):
        check_conservation("split", records=3, kept=3, rejected=1)
