from __future__ import annotations

from exemplars.core.records import Origin, Reason, Rejection
from exemplars.core.remedies import explain_reasons
from exemplars.dataset.row_tables import rejections_to_table
from stages.publish.flow import (
    RejectionSummary,
    StageOutcome,
    count_outcomes,
    summarize_rejections,
)

ORIGIN = Origin("a.md", "0" * 64, "1")


def reject(number: int, stage: str, reason: Reason) -> Rejection:
    return Rejection(f"s:{number}", "s", stage, reason, f"message {number}", ORIGIN, "g")


LEDGER = rejections_to_table(
    [
        reject(1, "compile", Reason.VALUE_NOT_FOUND),
        reject(2, "ingest", Reason.MALFORMED_RECORD),
        reject(3, "compile", Reason.VALUE_NOT_FOUND),
        reject(4, "ingest", Reason.NO_NEW_MEANING),
        reject(5, "split", Reason.LEAKED),
    ]
)


def test_a_stage_gets_what_the_stage_before_keeps() -> None:
    assert count_outcomes(20, LEDGER) == [
        StageOutcome("ingest", "kept", 18),
        StageOutcome("ingest", "malformed_record", 1),
        StageOutcome("ingest", "no_new_meaning", 1),
        StageOutcome("compile", "kept", 16),
        StageOutcome("compile", "value_not_found", 2),
        StageOutcome("curate", "kept", 16),
        StageOutcome("split", "kept", 15),
        StageOutcome("split", "leaked", 1),
    ]


def test_rejections_have_a_meaning_and_examples() -> None:
    first, *_, out_of_scope, _ = summarize_rejections(LEDGER)
    assert first == RejectionSummary(
        "compile",
        "value_not_found",
        2,
        "The value occurs neither in the utterance nor in its context, in any form that is known.",
        True,
        ("message 1", "message 3"),
    )
    assert (out_of_scope.reason, out_of_scope.actionable) == ("no_new_meaning", False)


def test_every_reason_has_a_docstring() -> None:
    assert set(explain_reasons()) == {str(reason) for reason in Reason}
    assert all(explain_reasons().values())
