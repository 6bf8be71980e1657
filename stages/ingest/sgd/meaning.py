"""What a user's turn means for one service: a request with its new arguments, or nothing new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from exemplars.core.records import DONTCARE, LabelledArgument, Mode, Reason
from exemplars.dataset.texts import is_mentioned
from stages.ingest.sgd.dialogues import Action, DialogueFrame, DialogueState, DialogueTurn
from stages.ingest.sgd.schema import NO_INTENT

_ACCEPTS: Final = frozenset({"SELECT", "AFFIRM", "AFFIRM_INTENT"})
_ASKS_FOR_INTENT: Final = frozenset({"INFORM_INTENT", "AFFIRM_INTENT"})
_PLEASANTRIES: Final = frozenset({"THANK_YOU", "GOODBYE", "NEGATE"})
_DECLINABLE: Final = frozenset({"OFFER", "CONFIRM"})


class Known(NamedTuple):
    """What the user's earlier turns said to one service."""

    values: Mapping[str, Sequence[str]]
    """The slot values of its last state."""
    intents: frozenset[str]
    """All intents that have been active."""


NOTHING_KNOWN: Final = Known({}, frozenset())


class Meaning(NamedTuple):
    """What a frame of a user's turn means."""

    mode: Mode
    intent: str | None
    arguments: tuple[LabelledArgument, ...] = ()
    no_exemplar: Reason | None = None
    """Why the frame is not an exemplar; `None`: it is one."""


def derive_meaning(
    frame: DialogueFrame,
    known: Known,
    offered: Iterable[Action],
    turns: Sequence[DialogueTurn],
) -> Meaning:
    """Derive the meaning of a user's frame from its acts, and from how it changes the dialogue state.

    known: what the user's earlier turns said to this service.
    offered: the actions of the system's turn before, for this service.
    turns: the dialogue up to and including this turn; it has the canonical forms of values.
    """
    if frame.actions:
        return _derive_from_acts(frame, known, offered, turns)
    if frame.state is not None:
        return _derive_from_state(frame, frame.state, known, turns)
    return _skip(Reason.UNANNOTATED)


def find_new_slots(known: Mapping[str, Sequence[str]], state: Mapping[str, Sequence[str]]) -> list[str]:
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


def update_known(known: Known, state: DialogueState | None) -> Known:
    """Add a state to what is known."""
    if state is None:
        return known
    intents = known.intents
    return Known(state.slot_values, intents | {state.active_intent} if state.active_intent else intents)


def _derive_from_acts(
    frame: DialogueFrame, known: Known, offered: Iterable[Action], turns: Sequence[DialogueTurn]
) -> Meaning:
    acts = {action.act for action in frame.actions}
    intent = _find_intent(frame)
    informed = [*(_read_informed(frame) if "INFORM" in acts else []), *_read_spans(frame, turns)]
    filled = {argument.slot for argument in informed}
    filled |= {action.slot for action in frame.actions if action.act == "INFORM"}
    # A first turn has nothing before it that it could accept.
    has_context = len(turns) > 1
    accepted = [
        LabelledArgument(slot, _find_canonical(ways, turns), tuple(ways), context=has_context)
        for slot, ways in _find_new_values(frame, known)
        if slot not in filled
    ]
    arguments = (*informed, *accepted)
    if intent not in (None, NO_INTENT) and (arguments or acts & _ASKS_FOR_INTENT):
        extended = has_context and (bool(acts & _ACCEPTS) or bool(accepted))
        return Meaning(Mode.EXTENDED if extended else Mode.NORMAL, intent, arguments)
    declined = _find_declined(acts, intent, offered)
    if declined is not None:
        return Meaning(Mode.NEGATIVE, declined)
    if acts <= _PLEASANTRIES and not arguments:
        return Meaning(Mode.NONE, None)
    if intent is None and arguments:
        return _skip(Reason.UNANNOTATED)
    return _skip(_explain_out_of_scope(acts))


def _derive_from_state(
    frame: DialogueFrame, state: DialogueState, known: Known, turns: Sequence[DialogueTurn]
) -> Meaning:
    """Derive the meaning of a frame without acts: what enters the state is said in this turn or accepted by it."""
    said = _read_spans(frame, turns)
    filled = {argument.slot for argument in said}
    entered = [
        LabelledArgument(
            slot, _find_canonical(ways, turns), tuple(ways), context=_is_from_context(ways, turns)
        )
        for slot, ways in _find_new_values(frame, known)
        if slot not in filled
    ]
    arguments = (*said, *entered)
    intent = state.active_intent
    if intent not in (None, NO_INTENT) and (arguments or intent not in known.intents):
        extended = any(argument.context for argument in arguments)
        return Meaning(Mode.EXTENDED if extended else Mode.NORMAL, intent, arguments)
    if state.requested_slots:
        return _skip(Reason.ASKS_ABOUT_RESULT)
    if intent is None or arguments:
        return _skip(Reason.UNANNOTATED)
    return Meaning(Mode.NONE, None) if intent == NO_INTENT else _skip(Reason.NO_NEW_MEANING)


def _skip(reason: Reason) -> Meaning:
    return Meaning(Mode.NONE, None, no_exemplar=reason)


def _find_intent(frame: DialogueFrame) -> str | None:
    """Find what the user wants of the service; `None`: neither the state nor an act says so."""
    if frame.state is not None and frame.state.active_intent is not None:
        return frame.state.active_intent
    return next(
        (action.values[0] for action in frame.actions if action.act == "INFORM_INTENT" and action.values),
        None,
    )


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


def _read_spans(frame: DialogueFrame, turns: Sequence[DialogueTurn]) -> list[LabelledArgument]:
    """Read the values that have a span but no INFORM act: the turn says them all the same, unless it asks for them."""
    if not frame.slots:
        return []
    other_acts = {action.slot for action in frame.actions if action.act in ("INFORM", "REQUEST")}
    values = {} if frame.state is None else frame.state.slot_values
    arguments = []
    for span in frame.slots:
        if span.slot in other_acts or span.start is None or span.exclusive_end is None:
            continue
        surface = turns[-1].utterance[max(span.start, 0) : max(span.exclusive_end, 0)]
        ways = values.get(span.slot) or [surface]
        canonical = _find_canonical(ways, turns)
        arguments.append(LabelledArgument(span.slot, canonical, tuple(ways), span.start, span.exclusive_end))
    return arguments


def _find_new_values(frame: DialogueFrame, known: Known) -> list[tuple[str, Sequence[str]]]:
    """Find the slots that enter the state with this turn, each with the ways to say its value."""
    if frame.state is None or frame.state.slot_values == known.values:
        return []
    values = frame.state.slot_values
    return [(slot, values[slot]) for slot in find_new_slots(known.values, values) if values[slot]]


def _is_from_context(ways: Iterable[str], turns: Sequence[DialogueTurn]) -> bool:
    """Return whether an earlier turn says a value that the last turn does not say."""
    *earlier, last = (turn.utterance for turn in turns)
    if any(is_mentioned(way, last) for way in ways):
        return False
    return any(is_mentioned(way, text) for text in earlier for way in ways)


def _find_canonical(ways: Sequence[str], turns: Sequence[DialogueTurn]) -> str:
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


def _find_declined(acts: set[str], intent: str | None, offered: Iterable[Action]) -> str | None:
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
