"""Personal data that no argument labels: reported, replaced, or rejected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

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
from stages.curate.rows import Row, Rows
from stages.curate.steps.base import Curation, CurationStep

Findings = Mapping[int, Sequence[Finding]]
"""The findings of each row that has any, by number."""


def protect_personal_data(rows: Rows, curation: Curation) -> Rows:
    """List rows with unlabeled personal data for review; replace the data or reject the rows by `privacy.mode`."""
    params = curation.params.privacy
    find = build_finder(curation.lexicons.names, params.min_score)
    with_findings = rows.select(np.isin(rows.numbers, list(rows.table.findings)))
    findings = {number: rows.table.findings[number] for number in with_findings.numbers.tolist()}
    unlabeled = _find_unlabeled(rows, findings)
    in_replies = _find_in_groups(rows, "has_private_reply", partial(find_unlabeled_in_replies, find=find))
    curation.figures["personal_data"] = count_findings(findings, unlabeled, in_replies)
    to_review = rows.select(np.isin(rows.numbers, [*unlabeled, *in_replies]))
    curation.review += [
        _make_review_item(row, [*unlabeled.get(row.number, ()), *in_replies.get(row.number, ())])
        for row in to_review
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


def _find_unlabeled(rows: Rows, findings: Findings) -> Findings:
    """Find the findings that no argument of a call of the same turn labels."""
    unlabeled: dict[int, Sequence[Finding]] = {}
    for part in _select_with(rows, "turn", np.isin(rows.numbers, list(findings))).divide_by("turn"):
        loaded = part.load()
        calls = group_by_turn(loaded.values())
        for number, row in loaded.items():
            found = find_unlabeled(calls[row.turn], findings.get(number, ()))
            if found:
                unlabeled[number] = found
    return unlabeled


def _find_in_groups(
    rows: Rows, mark: str, find: Callable[[Sequence[Exemplar]], Mapping[str, Sequence[Finding]]]
) -> Findings:
    """Apply a function to all rows of the groups that have a marked row. mark: a column.

    find: returns findings by the ids of rows.
    """
    found: dict[int, Sequence[Finding]] = {}
    for part in _select_with(rows, "group", rows[mark]).divide_by("group"):
        loaded = part.load()
        in_part = find(list(loaded.values()))
        found |= {number: in_part[row.id] for number, row in loaded.items() if row.id in in_part}
    return found


def _select_with(rows: Rows, column: str, marked: NDArray[np.bool_]) -> Rows:
    """Select the rows that have a column's value in common with a marked one."""
    return rows.select(np.isin(rows[column], rows[column][marked]))


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
    rows: Rows, unlabeled: Findings, in_replies: Findings, find: Finder, curation: Curation
) -> Rows:
    in_context = _find_in_groups(rows, "has_private_context", partial(find_unlabeled_in_context, find=find))
    problems = {
        number: _describe_personal_data(findings, place)
        for place, found in ((" in the context", in_context), (" in the reply", in_replies), ("", unlabeled))
        for number, findings in found.items()
    }
    curation.figures["personal_data"]["unlabelled_in_context"] = _count_kinds(in_context.values())
    return curation.ledger.drop_found(rows, problems)


def _replace_unlabeled(rows: Rows, unlabeled: Findings, find: Finder, curation: Curation) -> Rows:
    if curation.surrogate_key is None:
        raise ValueError("privacy.mode is surrogate, and there is no key")
    names = curation.lexicons.names
    is_private = rows["has_private_reply"] | rows["has_private_context"]
    is_private |= np.isin(rows.numbers, list(unlabeled))
    in_groups = _select_with(rows, "group", is_private)
    loaded = rows.select(np.isin(rows["turn"], in_groups["turn"])).load()
    found = ((row, unlabeled.get(number, ())) for number, row in loaded.items())
    surrogates = assign_surrogates(found, find, names, curation.surrogate_key)
    new = {
        row.id: row
        for calls in group_by_turn(loaded.values()).values()
        if calls[0].group in surrogates
        for row in apply_surrogates(calls, surrogates[calls[0].group])
    }
    contents = {number: new[row.id] for number, row in loaded.items() if row.id in new}
    facts = collect_facts(FactParams(curation.params, names), list(contents.values()))
    curation.texts.append(facts.texts)
    curation.texts.index()
    rows.table.replace(contents, facts)
    return rows


def _hide_originals(rows: Rows, unlabeled: Findings, find: Finder, curation: Curation) -> None:
    """Remove the texts with personal data from the ledger and the review list, as the steps before left them.

    Of a row that is rejected already, nothing says which of its data an argument labels: any counts.
    """
    reviewed = rows.table.find([item.id for item in curation.review])
    left = reviewed.select(np.isin(reviewed.numbers, rows.numbers))
    labeled = {row.id: unlabeled.get(row.number, ()) for row in left}

    def hide_rejection(rejection: Rejection) -> Rejection:
        text = rejection.utterance or ""
        private = _list_private_words(text, find(text))
        if not private:
            return rejection
        message = replace_texts(rejection.message, private)[0]
        return msgspec.structs.replace(rejection, utterance=None, message=message)

    def hide_item(item: ReviewItem) -> ReviewItem:
        findings = labeled[item.id] if item.id in labeled else find(item.utterance)
        private = _list_private_words(item.utterance, findings)
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
