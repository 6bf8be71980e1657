"""Dialogue files, decoded into just the fields that are used."""

from __future__ import annotations

import contextlib
from typing import Literal, NamedTuple

import msgspec

from exemplars.core.documents import decode_with
from exemplars.core.errors import UserError
from exemplars.core.files import MAX_RECORD_BYTES
from exemplars.core.ledger import Problem
from exemplars.core.records import Reason
from stages.ingest.reading import Offset, decode_text, describe_json_error, lower_first


class Action(msgspec.Struct, gc=False):
    """What a speaker does in a turn, to one slot."""

    act: str
    slot: str = ""
    values: list[str] = []
    canonical_values: list[str] = []


class SlotAnnotation(msgspec.Struct, gc=False):
    """The span of a free slot's value in the utterance, in code points."""

    slot: str
    start: Offset | None = None
    exclusive_end: Offset | None = None


class DialogueState(msgspec.Struct, gc=False):
    """What the user wants of one service, so far."""

    active_intent: str | None = None
    """`None`: the source does not say."""
    requested_slots: list[str] = []
    """The properties of a result that the user asks for."""
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
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if len(data) <= MAX_RECORD_BYTES or all(
            len(part) <= MAX_RECORD_BYTES for part in _decode_parts(data)
        ):
            return DecodedFile(tuple(enumerate(_decode_file(data))), ())
    # Decode again, slowly, to find out what is wrong with the file, or with which dialogue.
    text = decode_text(path, data)
    try:
        parts = decode_with(_decode_parts, text)
    except msgspec.DecodeError as error:
        raise UserError([describe_json_error(path, data, error, "a list of dialogues")]) from None
    return _decode_each(parts)


def _decode_each(parts: list[msgspec.Raw]) -> DecodedFile:
    dialogues, malformed = [], []
    for index, part in enumerate(parts):
        if len(part) > MAX_RECORD_BYTES:
            found, expected = f"a dialogue of {len(part):,} bytes", f"at most {MAX_RECORD_BYTES:,} bytes"
            malformed.append((index, Problem(Reason.TOO_LONG, found, expected, "shorten or divide it")))
            continue
        try:
            dialogues.append((index, decode_with(_decode_dialogue, part)))
        except msgspec.DecodeError as error:
            message = lower_first(str(error).replace("`$", f"`$[{index}]"))
            problem = Problem(
                Reason.MALFORMED_RECORD,
                found="",
                fix="correct the dialogue",
                summary=f"not a dialogue in the SGD format: {message}",
            )
            malformed.append((index, problem))
    return DecodedFile(tuple(dialogues), tuple(malformed))
