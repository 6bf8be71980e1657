"""Turns that repeat an earlier turn but for case and the punctuation between words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from exemplars.core.ledger import Problem
from exemplars.core.records import Reason
from stages.curate.key_arrays import join_keys
from stages.curate.params import OnDuplicate
from stages.curate.rows import Rows
from stages.curate.steps.base import Curation, CurationStep
from stages.curate.turn_keys import Repeats, sort_by_turn


def reject_exact_duplicates(rows: Rows, curation: Curation) -> Rows:
    """Reject all calls of turns that repeat an earlier turn, if `duplicates.exact` is `reject`."""
    if curation.params.duplicates.exact is OnDuplicate.KEEP:
        return rows
    return drop_repeats(rows, find_exact_duplicates(rows), describe_repeat, curation)


def find_exact_duplicates(rows: Rows) -> Repeats:
    """Find the calls of turns that repeat an earlier turn.

    Turns repeat each other if services, speakers, skills and modes are equal, and what is said, the values and the
    replies in the sense of `make_equality_key`. The order of the calls does not matter.
    """
    turns = sort_by_turn(rows)
    services, requests = turns.hash_different("service"), turns.hash_all("request")
    return turns.find_repeats(
        join_keys(services, turns.get_first("said"), turns.get_first("reply"), requests)
    )


def drop_repeats(
    rows: Rows, repeats: Repeats, describe: Callable[[str], Problem], curation: Curation
) -> Rows:
    """Reject the rows that repeat others. describe: describes the problem of a row, by the id of what it repeats."""
    find_first = repeats.read_first_ids(rows.table)
    return curation.ledger.drop(rows, repeats.numbers, lambda row: describe(find_first(row.number)))


def describe_repeat(first: str) -> Problem:
    """Describe the problem of a turn that repeats another. first: the id of that turn's first call."""
    return Problem(
        Reason.DUPLICATE_EXEMPLAR,
        found="a repeated exemplar",
        summary=f"the utterance and meaning are the same as those of {first}",
        fix="remove one of the two",
    )


STEP: Final = CurationStep("exact duplicates", reject_exact_duplicates)
