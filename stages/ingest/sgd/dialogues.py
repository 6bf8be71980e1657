"""Dialogue files, decoded into just the fields that are used."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from exemplars.core.errors import UserError
from exemplars.core.ledger import Problem
from exemplars.core.records import Reason
from stages.ingest.reading import decode_text, describe_json_error, lower_first


class Action(msgspec.Struct, gc=False):
    """What a speaker does in a turn, to one slot."""

    act: str
    slot: str = ""
    values: list[str] = []
    canonical_values: list[str] = []


class SlotAnnotation(msgspec.Struct, gc=False):
    """The span of a free slot's value in the utterance, in code points."""

    slot: str
    start: int | None = None
    exclusive_end: int | None = None


class DialogueState(msgspec.Struct, gc=False):
    """What the user wants of one service, so far."""

    active_intent: str = "NONE"
    slot_values: dict[str, list[str]] = {}


class DialogueFrame(msgspec.Struct, gc=False):
    """What a turn means for one service."""

    service: str
    actions: list[Action] = []
    slots: list[SlotAnnotation] = []
    state: DialogueState | None = None


class DialogueTurn(msgspec.Struct, gc=False):
    """One turn, of either speaker."""

    speaker: Literal["USER", "SYSTEM"]
    utterance: str
    frames: list[DialogueFrame] = []


class Dialogue(msgspec.Struct, gc=False):
    """One dialogue; its id is unique in its split."""

    dialogue_id: str
    turns: list[DialogueTurn] = []


class DecodedFile(NamedTuple):
    """The dialogues of a file by their index, and what is wrong with the others."""

    dialogues: tuple[tuple[int, Dialogue], ...]
    malformed: tuple[tuple[int, Problem], ...]


_decode_file = msgspec.json.Decoder(list[Dialogue]).decode
_decode_parts = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_dialogue = msgspec.json.Decoder(Dialogue).decode


def decode_dialogues(path: str, data: bytes) -> DecodedFile:
    """Decode the dialogues of a file; a dialogue of a wrong shape is reported, and the others are decoded.

    path: for messages. Raises `UserError` with the byte offset if the file is not a JSON list.
    """
    try:
        return DecodedFile(tuple(enumerate(_decode_file(data))), ())
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass  # Decode again, slowly, to find out what is wrong with the file, or with which dialogue.
    text = decode_text(path, data)
    try:
        parts = _decode_parts(text.encode())
    except msgspec.DecodeError as error:
        raise UserError([describe_json_error(path, data, error, "a list of dialogues")]) from None
    return _decode_each(parts)


def _decode_each(parts: list[msgspec.Raw]) -> DecodedFile:
    dialogues, malformed = [], []
    for index, part in enumerate(parts):
        try:
            dialogues.append((index, _decode_dialogue(part)))
        except msgspec.ValidationError as error:
            message = lower_first(str(error).replace("`$", f"`$[{index}]"))
            problem = Problem(
                Reason.MALFORMED_RECORD,
                found="",
                fix="correct the dialogue",
                summary=f"not a dialogue in the SGD format: {message}",
            )
            malformed.append((index, problem))
    return DecodedFile(tuple(dialogues), tuple(malformed))
