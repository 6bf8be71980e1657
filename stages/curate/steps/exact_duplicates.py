"""Rows that repeat an earlier row but for case and the punctuation between words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from exemplars.core.ledger import Problem
from exemplars.core.records import Exemplar, Reason
from exemplars.dataset.texts import make_equality_key
from stages.curate.params import OnDuplicate
from stages.curate.steps.base import Curation, CurationStep


def reject_exact_duplicates(rows: list[Exemplar], curation: Curation) -> list[Exemplar]:
    """Reject rows that repeat an earlier row, if `duplicates.exact` is `reject`."""
    if curation.params.duplicates.exact is OnDuplicate.KEEP:
        return rows
    repeats = find_exact_duplicates(rows)
    return curation.ledger.drop(rows, {row_id: _describe_repeat(first) for row_id, first in repeats.items()})


def find_exact_duplicates(exemplars: Iterable[Exemplar]) -> dict[str, str]:
    """Map the id of each row that repeats an earlier row to the id of that row.

    Rows repeat each other if service, skill and mode are equal, and the utterance and the values in the sense of
    `make_equality_key`.
    exemplars: sorted by id.
    """
    first_ids: dict[tuple[object, ...], str] = {}
    repeats = {}
    for row in exemplars:
        values = tuple(
            sorted((argument.slot, make_equality_key(argument.value)) for argument in row.arguments)
        )
        key = (row.service, row.skill, row.mode, make_equality_key(row.utterance), values)
        first = first_ids.setdefault(key, row.id)
        if first != row.id:
            repeats[row.id] = first
    return repeats


def _describe_repeat(first: str) -> Problem:
    return Problem(
        Reason.DUPLICATE_EXEMPLAR,
        found="a repeated exemplar",
        summary=f"the utterance and meaning are the same as those of {first}",
        fix="remove one of the two",
    )


STEP: Final = CurationStep("exact duplicates", reject_exact_duplicates)
