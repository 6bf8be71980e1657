from __future__ import annotations

from exemplars.core.records import Origin, Reason, Rejection
from exemplars.dataset.row_tables import rejections_to_table
from stages.publish.flow import Loss, Outcome, explanations, losses_of, outcomes_of

ORIGIN = Origin("a.md", "0" * 64, "1")


def lost(number: int, stage: str, reason: Reason) -> Rejection:
    return Rejection(f"s:{number}", "s", stage, reason, f"message {number}", ORIGIN, "g")


LEDGER = rejections_to_table(
    [
        lost(1, "compile", Reason.VALUE_NOT_FOUND),
        lost(2, "ingest", Reason.MALFORMED_RECORD),
        lost(3, "compile", Reason.VALUE_NOT_FOUND),
        lost(4, "ingest", Reason.NO_NEW_MEANING),
        lost(5, "split", Reason.LEAKED),
    ]
)


def test_what_a_stage_keeps_goes_into_the_next() -> None:
    assert outcomes_of(20, LEDGER) == [
        Outcome("ingest", "kept", 18),
        Outcome("ingest", "malformed_record", 1),
        Outcome("ingest", "no_new_meaning", 1),
        Outcome("compile", "kept", 16),
        Outcome("compile", "value_not_found", 2),
        Outcome("curate", "kept", 16),
        Outcome("split", "kept", 15),
        Outcome("split", "leaked", 1),
    ]


def test_losses_say_what_they_mean_with_examples() -> None:
    first, *_, out_of_scope, _ = losses_of(LEDGER)
    assert first == Loss(
        "compile",
        "value_not_found",
        2,
        "The value stands neither in the utterance, nor in its context, in any way known.",
        True,
        ("message 1", "message 3"),
    )
    assert (out_of_scope.reason, out_of_scope.fault) == ("no_new_meaning", False)


def test_every_reason_has_its_line_of_documentation() -> None:
    assert set(explanations()) == {str(reason) for reason in Reason}
    assert all(explanations().values())
