from __future__ import annotations

from exemplars.core.errors import Diagnostic
from exemplars.core.ledger import reject_row
from exemplars.core.records import Origin, Reason
from stages.ingest.reading import SourceInfo, make_problem, make_unread

SOURCE = SourceInfo("mine", "MIT")
ORIGIN = Origin("a.md", "0" * 64, "7")


def test_an_unread_record_has_an_id_and_the_group_of_its_file() -> None:
    unread = make_unread(SOURCE, ORIGIN, utterance="hi")
    assert (unread.id, unread.group, unread.utterance) == ("mine:a.md#7", "mine:a.md", "hi")


def test_a_diagnostic_keeps_its_place_and_its_sentence_in_the_ledger() -> None:
    diagnostic = Diagnostic(
        path="a.md", line=7, column=3, code="stray_text", found="x", expected="a section", fix="remove it"
    )
    problem = make_problem(diagnostic, Reason.MALFORMED_RECORD)
    rejection = reject_row(make_unread(SOURCE, ORIGIN), "ingest", [problem])
    assert rejection.reason is Reason.MALFORMED_RECORD
    assert rejection.message == "a.md:7:3: found x, expected a section; remove it"
