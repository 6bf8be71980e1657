"""Rows that differ a little in each epoch: other values of their parameters, or the form of a speech recognizer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from exemplars.core.digests import hash_to_fraction
from exemplars.core.records import Argument, Exemplar, Grounding
from exemplars.dataset.speech import make_turn_views

_UNCHANGED_EPOCH: Final = 0
"""The rows of the first epoch are as written."""


class SpokenValue(NamedTuple):
    """A value of a parameter, and how a row says it."""

    surface: str
    value: str
    grounding: Grounding


ValuePools = Mapping[tuple[str, str], Sequence[SpokenValue]]
"""The values of each slot of each skill in the train rows."""


def build_pools(train: Iterable[Exemplar]) -> ValuePools:
    """Build the pools of values from train rows; no value of a validation or test row may be in them."""
    pools: dict[tuple[str, str], set[SpokenValue]] = {}
    for exemplar in train:
        for argument in exemplar.arguments if exemplar.skill is not None else ():
            if argument.surface is not None:
                spoken = SpokenValue(argument.surface, argument.value, argument.grounding)
                pools.setdefault((str(exemplar.skill), argument.slot), set()).add(spoken)
    return {key: sorted(values) for key, values in pools.items()}


def augment_row(
    exemplar: Exemplar, epoch: int, pools: ValuePools, swap_share: float, speech_share: float
) -> Exemplar:
    """Draw the form of a row in an epoch, by its digest; the same on every machine, in any order of rows.

    swap_share: the share of spans that get a value from the pool of their slot. speech_share: the share of rows in
    speech form.
    """
    if epoch == _UNCHANGED_EPOCH:
        return exemplar
    swapped = _swap_values(exemplar, epoch, pools, swap_share)
    if _draw(exemplar, epoch, "speech") < speech_share:
        [view] = make_turn_views([swapped])
        return view if view.utterance else swapped
    return swapped


def _swap_values(exemplar: Exemplar, epoch: int, pools: ValuePools, share: float) -> Exemplar:
    spans = sorted(
        (argument.start, argument.end, place)
        for place, argument in enumerate(exemplar.arguments)
        if argument.start is not None and argument.end is not None
    )
    arguments = list(exemplar.arguments)
    utterance, position = "", 0
    for start, end, place in spans:
        argument = arguments[place]
        drawn = _draw_value(exemplar, argument, epoch, pools, share)
        utterance += exemplar.utterance[position:start]
        arguments[place] = msgspec.structs.replace(
            argument,
            **drawn._asdict(),
            start=len(utterance),
            end=len(utterance + drawn.surface),
            accepted=argument.accepted if drawn.value == argument.value else (),
        )
        utterance, position = utterance + drawn.surface, end
    utterance += exemplar.utterance[position:]
    return msgspec.structs.replace(exemplar, utterance=utterance, arguments=tuple(arguments))


def _draw_value(
    exemplar: Exemplar, argument: Argument, epoch: int, pools: ValuePools, share: float
) -> SpokenValue:
    """Draw the value of a span: its own, or one of its pool."""
    own = SpokenValue(argument.surface or "", argument.value, argument.grounding)
    pool = pools.get((str(exemplar.skill), argument.slot), ())
    if not pool or _draw(exemplar, epoch, f"swap {argument.slot}") >= share:
        return own
    return pool[int(_draw(exemplar, epoch, f"value {argument.slot}") * len(pool))]


def _draw(exemplar: Exemplar, epoch: int, purpose: str) -> float:
    return hash_to_fraction(exemplar.digest, f"{purpose} {epoch}")
