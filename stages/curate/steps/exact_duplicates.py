"""Turns that repeat an earlier turn but for case and the punctuation between words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from exemplars.core.digests import hash_to_key
from exemplars.core.ledger import Problem
from exemplars.core.records import Reason
from exemplars.core.turns import group_by_turn
from stages.curate.params import OnDuplicate
from stages.curate.rows import Row
from stages.curate.steps.base import Curation, CurationStep


def reject_exact_duplicates(rows: list[Row], curation: Curation) -> list[Row]:
    """Reject all calls of turns that repeat an earlier turn, if `duplicates.exact` is `reject`."""
    if curation.params.duplicates.exact is OnDuplicate.KEEP:
        return rows
    repeats = find_exact_duplicates(rows)
    return curation.ledger.drop(rows, {row_id: describe_repeat(first) for row_id, first in repeats.items()})


def find_exact_duplicates(rows: Iterable[Row]) -> dict[str, str]:
    """Map the id of each call of a turn that repeats an earlier turn to the id of that turn's first call.

    Turns repeat each other if services, speakers, skills and modes are equal, and what is said, the values and the
    replies in the sense of `make_equality_key`. The order of the calls does not matter.
    rows: sorted by id.
    """
    first_ids: dict[int, str] = {}
    repeats = {}
    for calls in group_by_turn(rows).values():
        first = first_ids.setdefault(_make_key(calls), calls[0].id)
        if first != calls[0].id:
            repeats.update({call.id: first for call in calls})
    return repeats


def _make_key(calls: Sequence[Row]) -> int:
    keys = [call.keys for call in calls]
    services = sorted({call.service or "" for call in calls})
    return hash_to_key((services, keys[0].said, keys[0].reply, sorted(key.request for key in keys)))


def describe_repeat(first: str) -> Problem:
    """Describe the problem of a turn that repeats another. first: the id of that turn's first call."""
    return Problem(
        Reason.DUPLICATE_EXEMPLAR,
        found="a repeated exemplar",
        summary=f"the utterance and meaning are the same as those of {first}",
        fix="remove one of the two",
    )


STEP: Final = CurationStep("exact duplicates", reject_exact_duplicates)
