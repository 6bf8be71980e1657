"""Duplicates and contradictions: what is wrong with several turns together.

Two turns with equal services, utterance, speaker and context are duplicates if they ask for the same calls and have
the same reply, and contradict each other if they ask for different calls. The services count, because a model is
never offered the skills of two services together. Different replies to one text are no contradiction: a question has
many good answers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Container, Iterator, Sequence
from typing import Final

import msgspec

from exemplars.core.digests import hash_to_int
from exemplars.core.errors import quote_text, summarize_names
from exemplars.core.ledger import Ledger, Problem
from exemplars.core.records import Argument, Exemplar, Reason
from exemplars.core.turns import group_by_turn

_encode: Final = msgspec.json.Encoder().encode
_SHOWN_ARGUMENTS: Final = 3
_SHOWN_CALLS: Final = 3
_PREFILTER_TURNS: Final = 3
"""How many of the last turns of the context go into the prefilter key."""


def content_key(calls: Sequence[Exemplar]) -> int:
    """Compute a 63-bit key that is equal for turns with equal services, utterance, speaker and context.

    calls: of one turn.
    """
    services = sorted({call.service or "" for call in calls})
    first = calls[0]
    return hash_to_int(_encode((services, first.utterance, first.speaker, first.context)))


def prefilter_key(exemplar: Exemplar) -> int:
    """Compute a key that all calls of all turns with the same `content_key` have, and seldom other calls.

    It is cheap, since it encodes no turns as JSON, and only the few turns that share one are compared.
    """
    last = [turn.utterance for turn in exemplar.context[-_PREFILTER_TURNS:]]
    return hash_to_int("\x00".join([exemplar.utterance, *last]).encode())


def reject_contradictions(
    exemplars: Sequence[Exemplar], ledger: Ledger, candidates: Collection[str] = ()
) -> list[Exemplar]:
    """Return the exemplars that stay; add duplicates and contradictions to the ledger, all calls of a turn together.

    Of duplicates the first by id stays; of contradicting turns none does. A candidate that duplicates or contradicts
    another row does not stay, and changes nothing for that row.

    exemplars: all calls of their turns. candidates: the sources of candidates.
    """
    by_content: dict[int, list[list[Exemplar]]] = defaultdict(list)
    for calls in group_by_turn(sorted(exemplars, key=lambda exemplar: exemplar.id)).values():
        by_content[content_key(calls)].append(calls)
    problems: dict[str, Problem] = {}
    for equal in by_content.values():
        if len(equal) > 1:
            problems.update(_settle_turns(equal, candidates))
    return ledger.drop(exemplars, problems)


def _settle_turns(equal: list[list[Exemplar]], candidates: Collection[str]) -> dict[str, Problem]:
    """Find the calls that cannot stay: by their ids, each with its problem.

    equal, candidates: as in `_find_problems` and `reject_contradictions`.
    """
    plain = [calls for calls in equal if calls[0].source not in candidates]
    problems = dict(_find_problems(plain))
    rest = []
    for calls in equal:
        if calls[0].source in candidates:
            ids = {call.id for call in calls}
            found = {key: problem for key, problem in _find_problems([*plain, calls]) if key in ids}
            problems |= found
            rest += [] if found else [calls]
    return problems | dict(_find_problems(rest))


def _find_problems(equal: list[list[Exemplar]]) -> Iterator[tuple[str, Problem]]:
    """Yield the ids of all calls of the turns that cannot stay, with the problem.

    equal: turns with equal content, each as its calls, in the order of their ids.
    """
    meanings = [_encode_meaning(calls) for calls in equal]
    if len(set(meanings)) > 1:
        for calls, meaning in zip(equal, meanings, strict=True):
            others = [other for other, theirs in zip(equal, meanings, strict=True) if theirs != meaning]
            problem = _report_contradiction(calls, others)
            yield from ((call.id, problem) for call in calls)
        return
    firsts: dict[tuple[str | None, ...], Exemplar] = {}
    for calls in equal:
        first = firsts.setdefault(tuple(call.reply for call in calls), calls[0])
        if first is not calls[0]:
            yield from ((call.id, _report_duplicate(first)) for call in calls)


def _encode_meaning(calls: Sequence[Exemplar]) -> tuple[bytes, ...]:
    """Encode what a turn asks for: its calls and their arguments, in whatever order.

    What else a source would accept does not change what it asks for.
    """
    return tuple(sorted(_encode((call.skill, call.mode, _sort_arguments(call))) for call in calls))


def _sort_arguments(call: Exemplar) -> list[Argument]:
    arguments = (msgspec.structs.replace(argument, accepted=()) for argument in call.arguments)
    return sorted(arguments, key=lambda argument: argument.slot)


def _report_contradiction(calls: Sequence[Exemplar], others: Sequence[Sequence[Exemplar]]) -> Problem:
    mine, theirs = _format_meaning(calls, others[0]), _format_meaning(others[0], calls)
    names = summarize_names(other[0].id for other in others)
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


def _format_meaning(calls: Sequence[Exemplar], others: Sequence[Exemplar]) -> str:
    """Format what a turn asks for. others: the calls of the turn that it contradicts."""
    known = {(argument.slot, argument.value) for call in others for argument in call.arguments}
    more = " and …" if len(calls) > _SHOWN_CALLS else ""
    return " and ".join(_format_call(call, known) for call in calls[:_SHOWN_CALLS]) + more


def _format_call(exemplar: Exemplar, known: Container[tuple[str, str]]) -> str:
    """Format a call. known: arguments that the other turn has, too: what differs comes first, since few are shown."""
    if exemplar.skill is None:
        return "no call"
    by_difference = sorted(exemplar.arguments, key=lambda argument: (argument.slot, argument.value) in known)
    arguments = ", ".join(
        f"{argument.slot}={quote_text(argument.value)}" for argument in by_difference[:_SHOWN_ARGUMENTS]
    )
    more = ", …" if len(exemplar.arguments) > _SHOWN_ARGUMENTS else ""
    return f"{exemplar.mode} {exemplar.skill}({arguments}{more})"
