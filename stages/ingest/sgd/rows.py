"""From a dialogue to its rows: one for each frame of each turn of the user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from exemplars.core.errors import quote_text
from exemplars.core.ids import make_row_id
from exemplars.core.ledger import Problem, reject_row
from exemplars.core.records import Mode, Origin, Reason, Record, Rejection, Speaker, Turn
from stages.ingest.reading import STAGE, SourceInfo, make_unread
from stages.ingest.sgd.dialogues import Action, Dialogue, DialogueFrame
from stages.ingest.sgd.meaning import NOTHING_KNOWN, Known, Meaning, derive_meaning, update_known
from stages.ingest.sgd.schema import Service, make_skill_name

_SPEAKERS: Final = {"USER": Speaker.USER, "SYSTEM": Speaker.ASSISTANT}
_OUT_OF_SCOPE: Final = {
    Reason.ASKS_ABOUT_RESULT: "the turn asks for a property of a result, and fills no slot",
    Reason.ASKS_ALTERNATIVES: "the turn asks for other results, and fills no slot",
    Reason.NO_NEW_MEANING: "the turn confirms or repeats what is known, and fills no slot",
    Reason.MEANING_IN_OTHER_FRAME: "what the turn asks for is in its frame of another service",
}
_FIX: Final = "correct the frame, or the schema.json of its split"


class DialogueFile(NamedTuple):
    """What all rows of one dialogue file have in common."""

    source: SourceInfo
    path: str
    sha256: str
    split: str | None
    """The split that the source prescribes for the rows."""
    folder: str
    """The folder of the file, relative to the source; dialogue ids are unique in it."""
    context_turns: int


class _UserTurn(NamedTuple):
    """What the rows of one turn have in common."""

    file: DialogueFile
    group: str
    context: tuple[Turn, ...]
    utterance: str
    pointer: str
    """The JSON Pointer of the turn."""


def make_group(file: DialogueFile, dialogue: Dialogue) -> str:
    """Build the group of a dialogue's rows: a split never separates them."""
    return file.source.make_group(f"{file.folder}/{dialogue.dialogue_id}")


def read_dialogue(
    file: DialogueFile, index: int, dialogue: Dialogue, services: Mapping[str, Service]
) -> Iterator[Record | Rejection]:
    """Read the rows of a dialogue, in the order of its turns and frames.

    index: the position of the dialogue in its file, from 0.
    """
    group = make_group(file, dialogue)
    turns: list[Turn] = []
    known: dict[str, Known] = {}
    offered: dict[str, Sequence[Action]] = {}
    for number, turn in enumerate(dialogue.turns):
        if turn.speaker == "SYSTEM":
            offered = {frame.service: frame.actions for frame in turn.frames}
        else:
            context = tuple(turns[-file.context_turns :]) if file.context_turns else ()
            user_turn = _UserTurn(file, group, context, turn.utterance, f"/{index}/turns/{number}")
            meanings = [
                derive_meaning(
                    frame,
                    known.get(frame.service, NOTHING_KNOWN),
                    offered.get(frame.service, ()),
                    dialogue.turns[: number + 1],
                )
                for frame in turn.frames
            ]
            yield from _read_turn(user_turn, turn.frames, meanings, services)
            for frame in turn.frames:
                known[frame.service] = update_known(known.get(frame.service, NOTHING_KNOWN), frame.state)
        turns.append(Turn(_SPEAKERS[turn.speaker], turn.utterance))


def _read_turn(
    turn: _UserTurn,
    frames: Sequence[DialogueFrame],
    meanings: list[Meaning],
    services: Mapping[str, Service],
) -> Iterator[Record | Rejection]:
    if not frames:
        problem = Problem(
            Reason.MALFORMED_RECORD, "no frame", fix="add a frame", summary="the user turn has no frame"
        )
        yield _reject(turn, turn.pointer, problem)
    if len(frames) > 1:
        meanings = _keep_one_none_frame(meanings)
    for number, (frame, meaning) in enumerate(zip(frames, meanings, strict=True)):
        yield _read_frame(turn, number, frame, meaning, services)


def _keep_one_none_frame(meanings: list[Meaning]) -> list[Meaning]:
    """Let at most the first of a turn's frames ask for nothing, and only if no other frame asks for something.

    A turn that asks nothing of one service but something of another does ask for something; a turn that asks
    for nothing at all says so once.
    """
    is_none = [meaning.mode is Mode.NONE and meaning.no_exemplar is None for meaning in meanings]
    return [
        meaning._replace(no_exemplar=Reason.MEANING_IN_OTHER_FRAME)
        if is_none[number] and (number > 0 or not all(is_none))
        else meaning
        for number, meaning in enumerate(meanings)
    ]


def _read_frame(
    turn: _UserTurn,
    number: int,
    frame: DialogueFrame,
    meaning: Meaning,
    services: Mapping[str, Service],
) -> Record | Rejection:
    pointer = f"{turn.pointer}/frames/{number}"
    problem = _find_problem(frame, meaning, services)
    if problem is not None:
        return _reject(turn, pointer, problem)
    source = turn.file.source
    origin = Origin(turn.file.path, turn.file.sha256, pointer)
    return Record(
        id=make_row_id(source.name, origin),
        turn=f"{source.name}:{turn.file.path}#{turn.pointer}",
        source=source.name,
        utterance=turn.utterance,
        mode=meaning.mode,
        skill=None if meaning.intent is None else make_skill_name(frame.service, meaning.intent),
        service=frame.service,
        arguments=meaning.arguments,
        context=turn.context,
        group=turn.group,
        license=source.license,
        origin=origin,
        split=turn.file.split,
        today=source.today,
        call=number,
    )


def _find_problem(frame: DialogueFrame, meaning: Meaning, services: Mapping[str, Service]) -> Problem | None:
    """Find why a frame is not a record: it names something that its schema does not have, or is out of scope."""
    service = services.get(frame.service)
    if service is None:
        found = f"service {quote_text(frame.service)}"
        return Problem(Reason.UNKNOWN_SERVICE, found, "a service of schema.json", _FIX)
    if meaning.intent is not None and meaning.intent not in service.intent_names:
        known = ", ".join(intent.name for intent in service.intents)
        return Problem(Reason.UNKNOWN_SKILL, f"intent {quote_text(meaning.intent)}", f"one of {known}", _FIX)
    for argument in meaning.arguments:
        if argument.slot not in service.slot_by_name:
            known = ", ".join(slot.name for slot in service.slots)
            found = f"slot {quote_text(argument.slot)}"
            return Problem(Reason.UNKNOWN_SLOT, found, f"one of {known}", _FIX, slot=argument.slot)
    if meaning.no_exemplar is None:
        return None
    if meaning.no_exemplar is Reason.UNANNOTATED:
        return _describe_unannotated(frame)
    acts = ", ".join(sorted({action.act for action in frame.actions})) or "none"
    summary = f"{_OUT_OF_SCOPE[meaning.no_exemplar]} (acts: {acts})"
    return Problem(meaning.no_exemplar, found="", fix="nothing to change", summary=summary)


def _describe_unannotated(frame: DialogueFrame) -> Problem:
    if frame.state is None:
        found = "actions without a state" if frame.actions else "neither actions nor a state"
    elif frame.state.active_intent is None:
        found = "a state without an active intent"
    else:
        found = f"new values with the active intent {quote_text(frame.state.active_intent)}"
    expected = "a state whose active intent, or actions that, say what the user wants"
    return Problem(Reason.UNANNOTATED, found, expected, "annotate the frame, or remove it")


def _reject(turn: _UserTurn, pointer: str, problem: Problem) -> Rejection:
    origin = Origin(turn.file.path, turn.file.sha256, pointer)
    unread = make_unread(turn.file.source, origin, utterance=turn.utterance, group=turn.group)
    return reject_row(unread, STAGE, [problem])
