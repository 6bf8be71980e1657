"""What a user's turn means for one service: a request with its new arguments, or nothing new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from exemplars.core.records import DONTCARE, LabelledArgument, Mode, Reason
from stages.ingest.sgd.dialogues import Action, DialogueFrame, DialogueTurn
from stages.ingest.sgd.schema import NO_INTENT

_ACCEPTS: Final = frozenset({"SELECT", "AFFIRM", "AFFIRM_INTENT"})
_ASKS_FOR_INTENT: Final = frozenset({"INFORM_INTENT", "AFFIRM_INTENT"})
_PLEASANTRIES: Final = frozenset({"THANK_YOU", "GOODBYE", "NEGATE"})
_DECLINABLE: Final = frozenset({"OFFER", "CONFIRM"})


class Meaning(NamedTuple):
    """What a frame of a user's turn means."""

    mode: Mode
    intent: str | None
    arguments: tuple[LabelledArgument, ...] = ()
    out_of_scope: Reason | None = None
    """Why the frame is not an exemplar; `None`: it is one."""


def derive_meaning(
    frame: DialogueFrame,
    known: Mapping[str, list[str]],
    offered: Iterable[Action],
    turns: Sequence[DialogueTurn],
) -> Meaning:
    """Derive the meaning of a user's frame from its acts, and from how it changes the dialogue state.

    known: the slot values that the user's earlier turns gave to this service.
    offered: the actions of the system's turn before, for this service.
    turns: the dialogue up to and including this turn; it has the canonical forms of values.
    """
    acts = {action.act for action in frame.actions}
    intent = NO_INTENT if frame.state is None else frame.state.active_intent
    informed = _read_informed(frame) if "INFORM" in acts else []
    arguments = (*informed, *_read_accepted(frame, known, turns))
    if intent != NO_INTENT and (arguments or acts & _ASKS_FOR_INTENT):
        extended = bool(acts & _ACCEPTS) or any(argument.context for argument in arguments)
        return Meaning(Mode.EXTENDED if extended else Mode.NORMAL, intent, arguments)
    declined = _find_declined(acts, intent, offered)
    if declined is not None:
        return Meaning(Mode.NEGATIVE, declined)
    if acts <= _PLEASANTRIES and not arguments:
        return Meaning(Mode.NONE, None)
    return Meaning(Mode.NONE, None, out_of_scope=_explain_out_of_scope(acts))


def find_new_slots(known: Mapping[str, list[str]], state: Mapping[str, list[str]]) -> list[str]:
    """Find the slots whose value is new, in the order of the state.

    A state lists several ways to say one value; if one of them is known, the value is the same, and only
    the other ways are new.

    >>> find_new_slots({"city": ["SF"]}, {"city": ["SF", "San Francisco"], "date": ["today"]})
    ['date']
    """
    return [
        slot
        for slot, ways in state.items()
        if (before := known.get(slot)) != ways and (before is None or not set(before) & set(ways))
    ]


def _read_informed(frame: DialogueFrame) -> list[LabelledArgument]:
    """Read the values that the user gives, with the source's spans: one span for each, in their order."""
    spans: dict[str, list[tuple[int | None, int | None]]] = {}
    for span in frame.slots:
        spans.setdefault(span.slot, []).append((span.start, span.exclusive_end))
    arguments = []
    for action in frame.actions:
        if action.act != "INFORM":
            continue
        for index, spoken in enumerate(action.values):
            canonical = action.canonical_values[index] if index < len(action.canonical_values) else spoken
            slot_spans = spans.get(action.slot)
            start, end = slot_spans.pop(0) if slot_spans else (None, None)
            arguments.append(LabelledArgument(action.slot, canonical, (spoken,), start, end))
    return arguments


def _read_accepted(
    frame: DialogueFrame, known: Mapping[str, list[str]], turns: Sequence[DialogueTurn]
) -> list[LabelledArgument]:
    """Read the values that enter the state although the turn does not say them: accepted, or carried over."""
    if frame.state is None or frame.state.slot_values == known:
        return []
    informed = {action.slot for action in frame.actions if action.act == "INFORM"}
    return [
        LabelledArgument(slot, _find_canonical(ways, turns), tuple(ways), context=True)
        for slot in find_new_slots(known, frame.state.slot_values)
        if slot not in informed and (ways := frame.state.slot_values[slot])
    ]


def _find_canonical(ways: list[str], turns: Sequence[DialogueTurn]) -> str:
    """Find the canonical form of a value in the last turn that says it in one of these ways."""
    if ways[0] == DONTCARE:
        return DONTCARE
    for turn in reversed(turns):
        for frame in turn.frames:
            for action in frame.actions:
                for spoken, canonical in zip(action.values, action.canonical_values, strict=False):
                    if spoken in ways:
                        return canonical
    return ways[0]


def _find_declined(acts: set[str], intent: str, offered: Iterable[Action]) -> str | None:
    """Find the intent that the user declines; `None`: the user declines nothing."""
    if "NEGATE_INTENT" in acts:
        offers = [action.values[0] for action in offered if action.act == "OFFER_INTENT" and action.values]
        return offers[0] if offers else None
    if "NEGATE" in acts and intent != NO_INTENT and any(action.act in _DECLINABLE for action in offered):
        return intent
    return None


def _explain_out_of_scope(acts: set[str]) -> Reason:
    if "REQUEST_ALTS" in acts:
        return Reason.ASKS_ALTERNATIVES
    if "REQUEST" in acts:
        return Reason.ASKS_ABOUT_RESULT
    return Reason.NO_NEW_MEANING
