"""Turns that repeat an earlier turn but for case and the punctuation between words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from exemplars.core.ledger import Problem
from exemplars.core.records import Exemplar, Reason
from exemplars.core.turns import find_user_text, group_by_turn
from exemplars.dataset.texts import make_equality_key
from stages.curate.params import OnDuplicate
from stages.curate.steps.base import Curation, CurationStep


def reject_exact_duplicates(rows: list[Exemplar], curation: Curation) -> list[Exemplar]:
    """Reject all calls of turns that repeat an earlier turn, if `duplicates.exact` is `reject`."""
    if curation.params.duplicates.exact is OnDuplicate.KEEP:
        return rows
    repeats = find_exact_duplicates(rows)
    return curation.ledger.drop(rows, {row_id: describe_repeat(first) for row_id, first in repeats.items()})


def find_exact_duplicates(exemplars: Iterable[Exemplar]) -> dict[str, str]:
    """Map the id of each call of a turn that repeats an earlier turn to the id of that turn's first call.

    Turns repeat each other if services, speakers, skills and modes are equal, and what is said, the values and the
    replies in the sense of `make_equality_key`. The order of the calls does not matter.
    exemplars: sorted by id.
    """
    first_ids: dict[tuple[object, ...], str] = {}
    repeats = {}
    for calls in group_by_turn(exemplars).values():
        first = first_ids.setdefault(_make_key(calls), calls[0].id)
        if first != calls[0].id:
            repeats.update({call.id: first for call in calls})
    return repeats


def _make_key(calls: Sequence[Exemplar]) -> tuple[object, ...]:
    row = calls[0]
    return (
        tuple(sorted({call.service or "" for call in calls})),
        row.speaker,
        make_equality_key(row.utterance),
        make_equality_key(find_user_text(row)),
        None if row.reply is None else make_equality_key(row.reply),
        tuple(sorted(map(_make_call_key, calls))),
    )


def _make_call_key(call: Exemplar) -> tuple[object, ...]:
    values = sorted((argument.slot, make_equality_key(argument.value)) for argument in call.arguments)
    return call.skill or "", call.mode, tuple(values)


def describe_repeat(first: str) -> Problem:
    """Describe the problem of a turn that repeats another. first: the id of that turn's first call."""
    return Problem(
        Reason.DUPLICATE_EXEMPLAR,
        found="a repeated exemplar",
        summary=f"the utterance and meaning are the same as those of {first}",
        fix="remove one of the two",
    )


STEP: Final = CurationStep("exact duplicates", reject_exact_duplicates)
