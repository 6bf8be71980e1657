from __future__ import annotations

from exemplars.core.remedies import Where
from stages.publish.flow import RejectionSummary, StageFlow, follow_records, summarize_rejections
from tests.publish.release import make_ledger


def test_a_stage_gets_what_the_stage_before_keeps() -> None:
    flows = follow_records(20, summarize_rejections(make_ledger()))
    none = {Where.SOURCE: 0, Where.PARAMETERS: 0, Where.NOWHERE: 0}
    assert flows == [
        StageFlow("ingest", 20, {**none, Where.NOWHERE: 2}),
        StageFlow("compile", 18, {**none, Where.SOURCE: 2}),
        StageFlow("curate", 16, none),
        StageFlow("split", 16, {**none, Where.NOWHERE: 1}),
    ]
    assert [flow.kept for flow in flows] == [18, 16, 16, 15]


def test_rejections_that_can_be_repaired_come_first_with_meaning_action_and_examples() -> None:
    first, *others = summarize_rejections(make_ledger())
    assert first == RejectionSummary(
        "compile",
        "value_not_found",
        2,
        "The value occurs neither in the utterance nor in its context, in any form that is known.",
        Where.SOURCE,
        "correct the value, say it in the text, add its words to a recognizer, or declare the parameter `composed` if the "
        "model writes it",
        ("message 1", "message 3"),
    )
    assert [(rejection.reason, rejection.records, rejection.repairable) for rejection in others] == [
        ("no_new_meaning", 2, False),
        ("leaked", 1, False),
    ]
