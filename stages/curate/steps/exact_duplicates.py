"""Turns that repeat an earlier turn but for case and the punctuation between words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

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
    turns = list(group_by_turn(rows).values())
    keys = np.fromiter(map(_make_key, turns), np.uint64, len(turns))
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    firsts = first[inverse]
    return {
        call.id: turns[firsts[place]][0].id
        for place in np.flatnonzero(firsts != np.arange(len(turns))).tolist()
        for call in turns[place]
    }


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
