"""From a dialogue to its rows: one for every frame of every turn of the user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from exemplars.core.errors import Diagnostic, quote_text
from exemplars.core.ids import make_row_id
from exemplars.core.records import Mode, Origin, Reason, Record, Rejection, Speaker, Turn
from stages.ingest.reading import SourceFacts, rejected
from stages.ingest.sgd.dialogues import Action, Dialogue, Frame
from stages.ingest.sgd.meaning import Meaning, meaning_of
from stages.ingest.sgd.schema import Service, skill_name

_SPEAKERS: Final = {"USER": Speaker.USER, "SYSTEM": Speaker.SYSTEM}
_ADVICE: Final = {
    Reason.ASKS_ABOUT_RESULT: "it asks for a property of a result, and fills no slot",
    Reason.ASKS_ALTERNATIVES: "it asks for other results, and fills no slot",
    Reason.NO_NEW_MEANING: "it confirms or repeats what is known, and fills no slot",
    Reason.MEANING_IN_OTHER_FRAME: "what the turn asks for stands in its frame of another service",
}


class DialogueFile(NamedTuple):
    """What all rows of one dialogue file have in common."""

    facts: SourceFacts
    path: str
    sha256: str
    split: str | None
    """The split that the rows are prescribed."""
    folder: str
    """The folder of the file, relative to the source; dialogue ids are unique in it."""
    context_turns: int


class _Place(NamedTuple):
    """Where a frame stands, and what its row needs beside its meaning."""

    file: DialogueFile
    group: str
    context: tuple[Turn, ...]
    utterance: str
    pointer: str


def group_of(file: DialogueFile, dialogue: Dialogue) -> str:
    """The group of a dialogue's rows: a split never tears a dialogue apart."""
    return f"{file.facts.name}:{file.folder}/{dialogue.dialogue_id}"


def rows_of(
    file: DialogueFile, index: int, dialogue: Dialogue, services: Mapping[str, Service]
) -> Iterator[Record | Rejection]:
    """The rows of a dialogue, in the order of its turns and frames.

    index: the place of the dialogue in its file, from 0.
    """
    group = group_of(file, dialogue)
    turns: list[Turn] = []
    known: dict[str, dict[str, list[str]]] = {}
    offered: dict[str, list[Action]] = {}
    for number, turn in enumerate(dialogue.turns):
        if turn.speaker == "SYSTEM":
            offered = {frame.service: frame.actions for frame in turn.frames}
        else:
            context = tuple(turns[-file.context_turns :]) if file.context_turns else ()
            place = _Place(file, group, context, turn.utterance, f"/{index}/turns/{number}")
            meanings = [
                meaning_of(
                    frame,
                    known.get(frame.service, {}),
                    offered.get(frame.service, ()),
                    dialogue.turns[: number + 1],
                )
                for frame in turn.frames
            ]
            yield from _turn_rows(place, turn.frames, meanings, services)
            known.update({frame.service: frame.state.slot_values for frame in turn.frames if frame.state})
        turns.append(Turn(_SPEAKERS[turn.speaker], turn.utterance))


def _turn_rows(
    place: _Place, frames: list[Frame], meanings: list[Meaning], services: Mapping[str, Service]
) -> Iterator[Record | Rejection]:
    if not frames:
        problem = _problem(place, place.pointer, "malformed_record", "a user turn without a frame", "a frame")
        yield _rejection(place, place.pointer, Reason.MALFORMED_RECORD, problem)
    if len(frames) > 1:
        meanings = _one_silence(meanings)
    for number, (frame, meaning) in enumerate(zip(frames, meanings, strict=True)):
        yield _row(place, f"{place.pointer}/frames/{number}", frame, meaning, services)


def _one_silence(meanings: list[Meaning]) -> list[Meaning]:
    """The meanings of a turn's frames, of which at most the first may ask for nothing.

    A turn that asks nothing of one service, but something of another, does ask for something; one
    that asks for nothing at all says so once.
    """
    silent = [one.mode is Mode.NONE and one.out_of_scope is None for one in meanings]
    return [
        one._replace(out_of_scope=Reason.MEANING_IN_OTHER_FRAME)
        if silent[number] and (number > 0 or not all(silent))
        else one
        for number, one in enumerate(meanings)
    ]


def _row(
    place: _Place, pointer: str, frame: Frame, meaning: Meaning, services: Mapping[str, Service]
) -> Record | Rejection:
    unknown = _unknown_name(place, pointer, frame, meaning, services)
    if unknown is not None:
        return unknown
    if meaning.out_of_scope is not None:
        acts = ", ".join(sorted({action.act for action in frame.actions}))
        found = f"a turn that says {acts or 'nothing'}: {_ADVICE[meaning.out_of_scope]}"
        problem = _problem(place, pointer, "out_of_scope", found, "", "nothing to change")
        return _rejection(place, pointer, meaning.out_of_scope, problem)
    facts = place.file.facts
    origin = Origin(place.file.path, place.file.sha256, pointer)
    return Record(
        id=make_row_id(facts.name, origin),
        source=facts.name,
        utterance=place.utterance,
        mode=meaning.mode,
        skill=None if meaning.intent is None else skill_name(frame.service, meaning.intent),
        service=frame.service,
        arguments=meaning.arguments,
        context=place.context,
        group=place.group,
        license=facts.license,
        origin=origin,
        split=place.file.split,
        today=facts.today,
    )


def _unknown_name(
    place: _Place, pointer: str, frame: Frame, meaning: Meaning, services: Mapping[str, Service]
) -> Rejection | None:
    """The rejection of a frame that names what its schema has not."""
    service = services.get(frame.service)
    if service is None:
        found = f"service {quote_text(frame.service)}"
        problem = _problem(place, pointer, "unknown_service", found, "a service of schema.json")
        return _rejection(place, pointer, Reason.UNKNOWN_SERVICE, problem)
    if meaning.intent is not None and meaning.intent not in service.intent_names:
        known = ", ".join(one.name for one in service.intents)
        problem = _problem(
            place, pointer, "unknown_skill", f"intent {quote_text(meaning.intent)}", f"one of {known}"
        )
        return _rejection(place, pointer, Reason.UNKNOWN_SKILL, problem)
    for argument in meaning.arguments:
        if argument.slot not in service.slot_by_name:
            known = ", ".join(one.name for one in service.slots)
            problem = _problem(
                place, pointer, "unknown_slot", f"slot {quote_text(argument.slot)}", f"one of {known}"
            )
            return _rejection(place, pointer, Reason.UNKNOWN_SLOT, problem, argument.slot)
    return None


def _problem(place: _Place, pointer: str, code: str, found: str, expected: str, fix: str = "") -> Diagnostic:
    return Diagnostic(
        path=f"{place.file.path}#{pointer}",
        code=code,
        found=found,
        expected=expected,
        fix=fix or "correct the frame, or the schema.json of its split",
    )


def _rejection(
    place: _Place, pointer: str, reason: Reason, problem: Diagnostic, slot: str | None = None
) -> Rejection:
    return rejected(
        place.file.facts,
        Origin(place.file.path, place.file.sha256, pointer),
        reason,
        [problem],
        slot=slot,
        utterance=place.utterance,
        group=place.group,
    )
