"""Duplicates and contradictions: what is wrong with several exemplars together.

Two exemplars with equal service, utterance and context are duplicates if they mean the same, and contradict
each other if they do not. The service counts, because a model is never offered the skills of two services
together.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from exemplars.core.errors import summarize_names
from exemplars.core.ledger import Ledger, Problem
from exemplars.core.records import Exemplar, Reason

_encode: Final = msgspec.json.Encoder().encode
_SHOWN_ARGUMENTS: Final = 3
_PREFILTER_TURNS: Final = 3
"""How many of the last turns of the context go into the prefilter key."""


def content_key(exemplar: Exemplar) -> int:
    """Compute a 63-bit key that is equal for exemplars with equal service, utterance and context."""
    content = _encode((exemplar.service, exemplar.utterance, exemplar.context))
    return _hash_to_int(content)


def prefilter_key(exemplar: Exemplar) -> int:
    """Compute a key that is equal whenever `content_key` is, and seldom otherwise.

    It is cheap, since it encodes no turns as JSON, and only the few exemplars that share one are compared.
    """
    last = [turn.utterance for turn in exemplar.context[-_PREFILTER_TURNS:]]
    return _hash_to_int("\x00".join([exemplar.service or "", exemplar.utterance, *last]).encode())


def reject_contradictions(exemplars: Sequence[Exemplar], ledger: Ledger) -> list[Exemplar]:
    """Return the exemplars that stay; add duplicates and contradictions to the ledger.

    Of duplicates the first by id stays; of contradicting exemplars none does.
    """
    by_content: dict[int, list[Exemplar]] = defaultdict(list)
    for exemplar in sorted(exemplars, key=lambda exemplar: exemplar.id):
        by_content[content_key(exemplar)].append(exemplar)
    problems: dict[str, Problem] = {}
    for equal in by_content.values():
        if len(equal) > 1:
            problems.update(_find_problems(equal))
    return ledger.drop(exemplars, problems)


def _hash_to_int(content: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big") >> 1


def _find_problems(equal: list[Exemplar]) -> Iterator[tuple[str, Problem]]:
    """Yield the ids of exemplars with equal content, sorted by id, that cannot stay, with the problem."""
    if len({exemplar.digest for exemplar in equal}) > 1:
        for exemplar in equal:
            others = [other for other in equal if other.digest != exemplar.digest]
            yield exemplar.id, _report_contradiction(exemplar, others)
    else:
        for exemplar in equal[1:]:
            yield exemplar.id, _report_duplicate(equal[0])


def _report_contradiction(exemplar: Exemplar, others: Sequence[Exemplar]) -> Problem:
    mine, theirs = _format_meaning(exemplar), _format_meaning(others[0])
    names = summarize_names(other.id for other in others)
    return Problem(
        Reason.CONFLICTING_LABEL,
        summary=f"labeled {mine}, but the same utterance and context are labeled {theirs} in {names}",
        fix="correct one of them",
    )


def _report_duplicate(first: Exemplar) -> Problem:
    return Problem(
        Reason.DUPLICATE_EXEMPLAR,
        summary=f"a duplicate of {first.id}, which is kept",
        fix="remove one of them",
    )


def _format_meaning(exemplar: Exemplar) -> str:
    shown = exemplar.arguments[:_SHOWN_ARGUMENTS]
    arguments = ", ".join(f"{argument.slot}={argument.value!r}" for argument in shown)
    more = ", …" if len(exemplar.arguments) > _SHOWN_ARGUMENTS else ""
    return f"{exemplar.mode} {exemplar.skill or 'no skill'}({arguments}{more})"
