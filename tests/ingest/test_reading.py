from __future__ import annotations

import pytest

from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.ledger import Problem, reject_row
from exemplars.core.records import Origin, Reason
from stages.ingest.reading import SourceInfo, decode_text, find_oversize, make_problem, make_unread

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


def test_a_file_of_white_space_of_any_script_is_empty() -> None:
    for data in (b"", b" \n\t", b"\xef\xbb\xbf", "\u3000\n\u2003".encode()):
        with pytest.raises(UserError, match=r"^a.jsonl, byte 0: empty_file: "):
            decode_text("a.jsonl", data)


def test_a_record_of_more_than_a_megabyte_is_too_long() -> None:
    assert find_oversize("é" * 524_288) is None
    assert find_oversize("é" * 524_289) == Problem(
        Reason.TOO_LONG, "a record of 524,289 characters", "at most 1,048,576 bytes", "shorten or divide it"
    )
