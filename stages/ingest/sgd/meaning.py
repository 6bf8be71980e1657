"""What a user's turn means to one service: a request with its new arguments, or nothing new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from exemplars.core.records import DONTCARE, LabelledArgument, Mode, Reason
from stages.ingest.sgd.dialogues import Action, DialogueTurn, Frame
from stages.ingest.sgd.schema import NO_INTENT

_ACCEPTS: Final = frozenset({"SELECT", "AFFIRM", "AFFIRM_INTENT"})
_ASKS_FOR_INTENT: Final = frozenset({"INFORM_INTENT", "AFFIRM_INTENT"})
_PLEASANTRIES: Final = frozenset({"THANK_YOU", "GOODBYE", "NEGATE"})
_DECLINABLE: Final = frozenset({"OFFER", "CONFIRM"})


class Meaning(NamedTuple):
    """What one frame of a user's turn means; `out_of_scope` is set where it is no exemplar."""

    mode: Mode
    intent: str | None
    arguments: tuple[LabelledArgument, ...] = ()
    out_of_scope: Reason | None = None


def meaning_of(
    frame: Frame,
    known: Mapping[str, list[str]],
    offered: Iterable[Action],
    turns: Sequence[DialogueTurn],
) -> Meaning:
    """The meaning of a user's frame.

    known: the slot values that the user's earlier turns gave to this service.
    offered: the actions of the system's turn before, for this service.
    turns: the dialogue up to this turn; they say the canonical forms of values.
    """
    acts = {action.act for action in frame.actions}
    intent = NO_INTENT if frame.state is None else frame.state.active_intent
    informed = _informed(frame) if "INFORM" in acts else []
    arguments = (*informed, *_accepted(frame, known, turns))
    if intent != NO_INTENT and (arguments or acts & _ASKS_FOR_INTENT):
        extended = bool(acts & _ACCEPTS) or any(one.context for one in arguments)
        return Meaning(Mode.EXTENDED if extended else Mode.NORMAL, intent, arguments)
    declined = _declined(acts, intent, offered)
    if declined is not None:
        return Meaning(Mode.NEGATIVE, declined)
    if acts <= _PLEASANTRIES and not arguments:
        return Meaning(Mode.NONE, None)
    return Meaning(Mode.NONE, None, out_of_scope=_why_out_of_scope(acts))


def new_slots(known: Mapping[str, list[str]], state: Mapping[str, list[str]]) -> list[str]:
    """The slots whose value is new, in the order of the state.

    A state lists several ways to say one value; one that shares a way with what is known is the
    same value, told in more ways.
    """
    return [
        slot
        for slot, ways in state.items()
        if (before := known.get(slot)) != ways and (before is None or not set(before) & set(ways))
    ]


def _informed(frame: Frame) -> list[LabelledArgument]:
    """The values that the user gives, with the source's spans: one span for each, in their order."""
    spans: dict[str, list[tuple[int | None, int | None]]] = {}
    for span in frame.slots:
        spans.setdefault(span.slot, []).append((span.start, span.exclusive_end))
    arguments = []
    for action in frame.actions:
        if action.act != "INFORM":
            continue
        for index, said in enumerate(action.values):
            canonical = action.canonical_values[index] if index < len(action.canonical_values) else said
            given = spans.get(action.slot)
            start, end = given.pop(0) if given else (None, None)
            arguments.append(LabelledArgument(action.slot, canonical, (said,), start, end))
    return arguments


def _accepted(
    frame: Frame, known: Mapping[str, list[str]], turns: Sequence[DialogueTurn]
) -> list[LabelledArgument]:
    """The values that enter the state without being said now: accepted, or carried over."""
    if frame.state is None or frame.state.slot_values == known:
        return []
    informed = {action.slot for action in frame.actions if action.act == "INFORM"}
    return [
        LabelledArgument(slot, _canonical_of(ways, turns), tuple(ways), context=True)
        for slot in new_slots(known, frame.state.slot_values)
        if slot not in informed and (ways := frame.state.slot_values[slot])
    ]


def _canonical_of(ways: list[str], turns: Sequence[DialogueTurn]) -> str:
    """The canonical form of a value, as the last turn that says it in one of these ways tells."""
    if ways[0] == DONTCARE:
        return DONTCARE
    for turn in reversed(turns):
        for frame in turn.frames:
            for action in frame.actions:
                for said, canonical in zip(action.values, action.canonical_values, strict=False):
                    if said in ways:
                        return canonical
    return ways[0]


def _declined(acts: set[str], intent: str, offered: Iterable[Action]) -> str | None:
    """The intent that the user declines, or null."""
    if "NEGATE_INTENT" in acts:
        offers = [one.values[0] for one in offered if one.act == "OFFER_INTENT" and one.values]
        return offers[0] if offers else None
    if "NEGATE" in acts and intent != NO_INTENT and any(one.act in _DECLINABLE for one in offered):
        return intent
    return None


def _why_out_of_scope(acts: set[str]) -> Reason:
    if "REQUEST_ALTS" in acts:
        return Reason.ASKS_ALTERNATIVES
    if "REQUEST" in acts:
        return Reason.ASKS_ABOUT_RESULT
    return Reason.NO_NEW_MEANING
