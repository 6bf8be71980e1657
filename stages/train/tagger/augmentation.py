"""Turns that differ a little in each epoch: other values, two turns as one, or the form of a speech recognizer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from exemplars.core.digests import hash_to_fraction
from exemplars.core.records import Argument, Exemplar, Grounding, Speaker, Turn
from exemplars.dataset.speech import make_turn_views
from exemplars.models.tagger.features import find_mentions

_UNCHANGED: Final = 0
"""The number of the first form of a turn, which is as written."""
_JOINTS: Final = (" ", ". And ", ", and ", ". Then ", ", then ", ". ", ". Also ")
_ENDS: Final = ".!?,; "
_MIN_LENGTH: Final = 3
"""Of a value that is replaced in the turns before: shorter ones are parts of other words and numbers."""


class SpokenValue(NamedTuple):
    """A value of a parameter, and how a row says it."""

    surface: str
    value: str
    grounding: Grounding


class Shares(NamedTuple):
    """How much of an epoch is drawn."""

    swap: float = 0.0
    """The share of values that are replaced by a different value of their slot."""
    speech: float = 0.0
    """The share of turns in speech form."""
    join: float = 0.0
    """The share of turns that get the calls of a second turn as well."""


class Pools(NamedTuple):
    """What is drawn from: train rows alone, none of validation or test."""

    values: Mapping[tuple[str, str], Sequence[SpokenValue]]
    """The values of each slot of each skill."""
    turns: Sequence[Exemplar]
    """Turns with one call and without context, which can follow a different one."""


def build_pools(train: Iterable[Sequence[Exemplar]]) -> Pools:
    """Build the pools from the turns of the train split."""
    values: dict[tuple[str, str], set[SpokenValue]] = {}
    turns = []
    for turn in train:
        for exemplar in turn:
            for argument in exemplar.arguments if exemplar.skill is not None else ():
                spoken = _find_spoken(exemplar, argument)
                if spoken is not None:
                    values.setdefault((str(exemplar.skill), argument.slot), set()).add(spoken)
        if _can_be_joined(turn):
            turns.append(turn[0])
    return Pools({key: sorted(spoken) for key, spoken in values.items()}, turns)


def _can_be_joined(turn: Sequence[Exemplar]) -> bool:
    [first, *others] = turn
    return not others and first.skill is not None and not first.context and first.speaker is Speaker.USER


def _find_spoken(exemplar: Exemplar, argument: Argument) -> SpokenValue | None:
    """Find how a row says a value: in its utterance, or in an earlier turn."""
    if argument.surface is not None:
        return SpokenValue(argument.surface, argument.value, argument.grounding)
    before = None if argument.grounding is not Grounding.CONTEXT else _find_before(exemplar, argument)
    return None if before is None else SpokenValue(before, argument.value, Grounding.NORMALIZED)


def _find_before(exemplar: Exemplar, argument: Argument) -> str | None:
    """Find the words of a value in the latest turn that says it."""
    for turn in reversed(exemplar.context):
        for start, end in find_mentions(turn.utterance, argument, None):
            return turn.utterance[start:end]
    return None


def list_passes(
    turns: Sequence[Sequence[Exemplar]], epoch: int, dialogue_passes: int
) -> list[tuple[int, Sequence[Sequence[Exemplar]]]]:
    """List the passes of an epoch: the number of the form of the turns, and the turns; first all of them.

    dialogue_passes: how often an epoch has the turns of dialogues.
    """
    dialogues = [turn for turn in turns if turn[0].context or turn[0].service is not None]
    first = epoch * dialogue_passes
    return [(first, turns), *((first + extra, dialogues) for extra in range(1, dialogue_passes))]


def augment_turn(turn: Sequence[Exemplar], form: int, pools: Pools, shares: Shares) -> Sequence[Exemplar]:
    """Draw a form of a turn by its digest and the number of the form.

    It is the same on every machine, and does not depend on other turns but for the pools.
    """
    if form == _UNCHANGED:
        return turn
    drawn = [_swap_values(turn[0], form, pools, shares.swap)] if len(turn) == 1 else list(turn)
    if pools.turns and _can_be_joined(turn) and _draw(turn[0], form, "join") < shares.join:
        drawn = _join(drawn[0], form, pools)
    if _draw(turn[0], form, "speech") < shares.speech:
        views = make_turn_views(drawn)
        return views if views[0].utterance else drawn
    return drawn


def _join(exemplar: Exemplar, form: int, pools: Pools) -> list[Exemplar]:
    """Join an utterance with a second one of a different skill, whose spans move; alone if the draw is the same."""
    second = pools.turns[int(_draw(exemplar, form, "second") * len(pools.turns))]
    if second.skill == exemplar.skill:
        return [exemplar]
    joint = _JOINTS[int(_draw(exemplar, form, "joint") * len(_JOINTS))]
    ends = max((argument.end or 0 for argument in exemplar.arguments), default=0)
    kept = max(ends, len(exemplar.utterance.rstrip(_ENDS)))
    start = exemplar.utterance[: len(exemplar.utterance) if joint == " " else kept] + joint
    arguments = tuple(
        argument
        if argument.start is None or argument.end is None
        else msgspec.structs.replace(
            argument, start=argument.start + len(start), end=argument.end + len(start)
        )
        for argument in second.arguments
    )
    utterance = start + second.utterance
    return [
        msgspec.structs.replace(exemplar, utterance=utterance),
        msgspec.structs.replace(second, utterance=utterance, arguments=arguments, turn=exemplar.turn),
    ]


def _swap_values(exemplar: Exemplar, form: int, pools: Pools, share: float) -> Exemplar:
    """Replace values in the utterance, and those of earlier turns there; a replaced value that both say, in both."""
    spans = sorted(
        (argument.start, argument.end, place)
        for place, argument in enumerate(exemplar.arguments)
        if argument.start is not None and argument.end is not None
    )
    arguments = list(exemplar.arguments)
    replaced: list[tuple[str, str]] = []
    utterance, position = "", 0
    for start, end, place in spans:
        argument = arguments[place]
        drawn = _draw_value(exemplar, argument, form, pools, share)
        utterance += exemplar.utterance[position:start]
        replaced.append((argument.surface or "", drawn.surface))
        arguments[place] = msgspec.structs.replace(
            argument,
            **drawn._asdict(),
            start=len(utterance),
            end=len(utterance + drawn.surface),
            accepted=argument.accepted if drawn.value == argument.value else (),
        )
        utterance, position = utterance + drawn.surface, end
    utterance += exemplar.utterance[position:]
    for place, argument in enumerate(arguments):
        if argument.grounding is Grounding.CONTEXT:
            drawn = _draw_value(exemplar, argument, form, pools, share)
            replaced.append((_find_before(exemplar, argument) or "", drawn.surface))
            arguments[place] = msgspec.structs.replace(argument, value=drawn.value)
    context = tuple(_replace_words(turn, replaced) for turn in exemplar.context)
    return msgspec.structs.replace(exemplar, utterance=utterance, arguments=tuple(arguments), context=context)


def _replace_words(turn: Turn, replaced: Sequence[tuple[str, str]]) -> Turn:
    text = turn.utterance
    for before, after in replaced:
        if before != after and len(before) >= _MIN_LENGTH:
            text = after.join(re.split(rf"(?<!\w){re.escape(before)}(?!\w)", text))
    return turn if text == turn.utterance else msgspec.structs.replace(turn, utterance=text)


def _draw_value(exemplar: Exemplar, argument: Argument, form: int, pools: Pools, share: float) -> SpokenValue:
    """Draw a value: its own, or one of its pool."""
    own = _find_spoken(exemplar, argument) or SpokenValue("", argument.value, argument.grounding)
    pool = pools.values.get((str(exemplar.skill), argument.slot), ())
    if not pool or _draw(exemplar, form, f"swap {argument.slot}") >= share:
        return own
    return pool[int(_draw(exemplar, form, f"value {argument.slot}") * len(pool))]


def _draw(exemplar: Exemplar, form: int, purpose: str) -> float:
    return hash_to_fraction(exemplar.digest, f"{purpose} {form}")
