"""Personal data that no argument labels: reported, replaced, or rejected."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from exemplars.core.ledger import Problem
from exemplars.core.records import Exemplar, Reason, Rejection, ReviewItem
from exemplars.core.reports import count_sorted
from exemplars.core.turns import group_by_turn
from stages.curate.facts import FactParams, collect_facts
from stages.curate.params import PrivacyMode
from stages.curate.privacy.findings import Finder, Finding, build_finder
from stages.curate.privacy.replacement import apply_surrogates, replace_texts
from stages.curate.privacy.surrogates import (
    assign_surrogates,
    find_unlabeled,
    find_unlabeled_in_context,
    find_unlabeled_in_replies,
)
from stages.curate.review import make_review_item
from stages.curate.rows import Row, replace_rows
from stages.curate.steps.base import Curation, CurationStep

Findings = Mapping[str, Sequence[Finding]]
"""The findings of each row that has any, by id."""


def protect_personal_data(rows: list[Row], curation: Curation) -> list[Row]:
    """List rows with unlabeled personal data for review; replace the data or reject the rows by `privacy.mode`."""
    params = curation.params.privacy
    find = build_finder(curation.lexicons.names, params.min_score)
    findings = {row.id: row.findings for row in rows if row.findings}
    unlabeled = _find_unlabeled(rows, findings, curation)
    private_groups = {row.group for row in rows if row.has_private_reply}
    in_replies = find_unlabeled_in_replies(_load_groups(rows, private_groups, curation), find)
    curation.figures["personal_data"] = count_findings(findings, unlabeled, in_replies)
    curation.review += [
        _make_review_item(row, [*unlabeled.get(row.id, ()), *in_replies.get(row.id, ())])
        for row in rows
        if row.id in unlabeled or row.id in in_replies
    ]
    if params.mode is not PrivacyMode.REPORT:
        _hide_originals(rows, unlabeled, find, curation)
    match params.mode:
        case PrivacyMode.REPORT:
            return rows
        case PrivacyMode.REJECT:
            return _reject_unlabeled(rows, unlabeled, in_replies, find, curation)
        case PrivacyMode.SURROGATE:
            return _replace_unlabeled(rows, unlabeled, find, curation)


def _find_unlabeled(rows: Sequence[Row], findings: Findings, curation: Curation) -> Findings:
    """Find the findings that no argument of a call of the same turn labels."""
    turns = {row.turn for row in rows if row.id in findings}
    loaded = curation.reader.load(row for row in rows if row.turn in turns)
    calls = group_by_turn(loaded.values())
    return {
        row.id: row_findings
        for row in rows
        if row.id in findings and (row_findings := find_unlabeled(calls[row.turn], findings[row.id]))
    }


def _load_groups(rows: Iterable[Row], groups: Collection[str], curation: Curation) -> list[Exemplar]:
    return list(curation.reader.load(row for row in rows if row.group in groups).values())


def count_findings(
    findings: Findings, unlabeled: Findings, in_replies: Findings
) -> dict[str, dict[str, int]]:
    """Count the findings by kind: in texts that an argument labels, and in texts that no argument labels.

    in_replies: those that no argument labels.
    """
    counts = _count_kinds(findings.values())
    unlabeled_counts = _count_kinds(unlabeled.values())
    labeled_counts = {kind: count - unlabeled_counts.get(kind, 0) for kind, count in counts.items()}
    return {
        "labelled": {kind: count for kind, count in labeled_counts.items() if count},
        "unlabelled": _count_kinds([*unlabeled.values(), *in_replies.values()]),
    }


def _count_kinds(findings: Iterable[Sequence[Finding]]) -> dict[str, int]:
    return count_sorted(str(finding.kind) for row_findings in findings for finding in row_findings)


def _reject_unlabeled(
    rows: list[Row], unlabeled: Findings, in_replies: Findings, find: Finder, curation: Curation
) -> list[Row]:
    private_groups = {row.group for row in rows if row.has_private_context}
    in_context = find_unlabeled_in_context(_load_groups(rows, private_groups, curation), find)
    problems = {
        row_id: _describe_personal_data(row_findings, " in the context")
        for row_id, row_findings in in_context.items()
    }
    problems |= {
        row_id: _describe_personal_data(row_findings, " in the reply")
        for row_id, row_findings in in_replies.items()
    }
    problems |= {row_id: _describe_personal_data(row_findings) for row_id, row_findings in unlabeled.items()}
    curation.figures["personal_data"]["unlabelled_in_context"] = _count_kinds(in_context.values())
    return curation.ledger.drop(rows, problems)


def _replace_unlabeled(rows: list[Row], unlabeled: Findings, find: Finder, curation: Curation) -> list[Row]:
    if curation.surrogate_key is None:
        raise ValueError("privacy.mode is surrogate, and there is no key")
    names = curation.lexicons.names
    groups = {
        row.group for row in rows if row.id in unlabeled or row.has_private_reply or row.has_private_context
    }
    turns = {row.turn for row in rows if row.group in groups}
    loaded = list(curation.reader.load(row for row in rows if row.turn in turns).values())
    found = ((row, unlabeled.get(row.id, ())) for row in loaded)
    surrogates = assign_surrogates(found, find, names, curation.surrogate_key)
    new = {
        row.id: row
        for calls in group_by_turn(loaded).values()
        if calls[0].group in surrogates
        for row in apply_surrogates(calls, surrogates[calls[0].group])
    }
    old = [row for row in rows if row.id in new]
    contents = [new[row.id] for row in old]
    facts = collect_facts(FactParams(curation.params, names), contents)
    curation.texts = curation.texts.extend(facts.texts)
    replaced = {row.id: row for row in replace_rows(old, contents, facts)}
    return [replaced.get(row.id, row) for row in rows]


def _hide_originals(rows: Iterable[Row], unlabeled: Findings, find: Finder, curation: Curation) -> None:
    """Remove the texts with personal data from the ledger and the review list, as the steps before left them.

    Of a row that is rejected already, nothing says which of its data an argument labels: any counts.
    """
    kept = {row.id for row in rows}

    def find_private(row_id: str, text: str | None) -> dict[str, str]:
        findings = unlabeled.get(row_id, ()) if row_id in kept else find(text or "")
        return _list_private_words(text or "", findings)

    def hide_rejection(rejection: Rejection) -> Rejection:
        private = find_private(rejection.id, rejection.utterance)
        if not private:
            return rejection
        message = replace_texts(rejection.message, private)[0]
        return msgspec.structs.replace(rejection, utterance=None, message=message)

    def hide_item(item: ReviewItem) -> ReviewItem:
        private = find_private(item.id, item.utterance)
        if not private:
            return item
        return msgspec.structs.replace(item, utterance="", detail=replace_texts(item.detail, private)[0])

    curation.ledger.revise(hide_rejection)
    curation.review = list(map(hide_item, curation.review))


def _list_private_words(text: str, findings: Iterable[Finding]) -> dict[str, str]:
    """List the findings, and their words as a message may quote them, each with the kind that is shown instead."""
    words: dict[str, str] = {}
    for finding in findings:
        found = text[finding.start : finding.end]
        for word in (found, *found.split()):
            words |= {word: f"[{finding.kind}]", word.lower(): f"[{finding.kind}]"}
    return words


def _make_review_item(row: Row, findings: Sequence[Finding]) -> ReviewItem:
    return make_review_item(row, "personal_data", _format_kinds(findings))


def _describe_personal_data(findings: Sequence[Finding], place: str = "") -> Problem:
    return Problem(
        Reason.PERSONAL_DATA,
        found=f"personal data ({_format_kinds(findings)}){place} that no argument labels",
        expected="none",
        fix="label it as an argument, or remove it",
    )


def _format_kinds(findings: Sequence[Finding]) -> str:
    return ", ".join(sorted({str(finding.kind) for finding in findings}))


STEP: Final = CurationStep("personal data", protect_personal_data)
