"""Reasons and their remedies: one list, in code and in docs/ledger.md."""

from __future__ import annotations

import re

from exemplars.core.records import Reason
from exemplars.core.remedies import REMEDIES, Where, explain_reasons, rank_reason
from stages.ingest.skills.reader import REASONS
from tests.conftest import PROJECT

LEDGER = (PROJECT / "docs/ledger.md").read_text("utf-8")


def test_every_reason_has_a_remedy_and_a_sentence() -> None:
    assert set(REMEDIES) == set(Reason)
    assert set(explain_reasons()) == {str(reason) for reason in Reason}


def test_the_document_has_every_reason_with_its_sentence_and_its_remedy() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \|$", LEDGER, re.MULTILINE)
    documented = {reason: (meaning.replace(r"\|", "|"), action) for reason, meaning, action in rows}
    assert documented == {
        reason: (" ".join(meaning.split()), REMEDIES[Reason(reason)].action)
        for reason, meaning in explain_reasons().items()
    }


def test_reasons_are_documented_under_where_they_can_be_fixed() -> None:
    parts = re.split(r"^## .*$", LEDGER, flags=re.MULTILINE)[1:]
    for where, part in zip(Where, parts, strict=True):
        expected = [str(reason) for reason, remedy in REMEDIES.items() if remedy.where is where]
        assert re.findall(r"^\| `(\w+)`", part, re.MULTILINE) == expected


def test_a_code_of_lint_that_has_a_reason_is_the_reason() -> None:
    assert {code: str(reason) for code, reason in REASONS.items()} == {code: code for code in REASONS}


def test_what_an_author_can_fix_ranks_before_duplicates_leaks_and_rows_without_a_call() -> None:
    for reason in (Reason.VALUE_NOT_FOUND, Reason.UNKNOWN_SLOT, Reason.INVALID_VALUE):
        assert rank_reason(reason) < rank_reason(Reason.DUPLICATE_EXEMPLAR) < len(REMEDIES)
        assert rank_reason(reason) < rank_reason(Reason.LEAKED)
    for reason in (Reason.ASKS_ABOUT_RESULT, Reason.ASKS_ALTERNATIVES, Reason.NO_NEW_MEANING):
        assert REMEDIES[reason].where is Where.NOWHERE
