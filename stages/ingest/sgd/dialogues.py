"""The dialogue files, decoded into just the fields that are used."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

import msgspec

from exemplars.core.errors import Diagnostic, UserError
from stages.ingest.reading import decoded_text


class Action(msgspec.Struct, gc=False):
    """What a speaker does in a turn, to one slot."""

    act: str
    slot: str = ""
    values: list[str] = []
    canonical_values: list[str] = []


class SlotSpan(msgspec.Struct, gc=False):
    """Where a free slot's value stands in the utterance; code points."""

    slot: str
    start: int | None = None
    exclusive_end: int | None = None


class State(msgspec.Struct, gc=False):
    """What the user wants so far, of one service."""

    active_intent: str = "NONE"
    slot_values: dict[str, list[str]] = {}


class Frame(msgspec.Struct, gc=False):
    """What a turn means to one service."""

    service: str
    actions: list[Action] = []
    slots: list[SlotSpan] = []
    state: State | None = None


class DialogueTurn(msgspec.Struct, gc=False):
    """One turn, of either speaker."""

    speaker: Literal["USER", "SYSTEM"]
    utterance: str
    frames: list[Frame] = []


class Dialogue(msgspec.Struct, gc=False):
    """One dialogue; its id is unique in its split."""

    dialogue_id: str
    turns: list[DialogueTurn] = []


class DecodedFile(NamedTuple):
    """The dialogues of a file by their index, and what is wrong with the others."""

    dialogues: tuple[tuple[int, Dialogue], ...]
    malformed: tuple[tuple[int, Diagnostic], ...]


_decode_file = msgspec.json.Decoder(list[Dialogue]).decode
_decode_parts = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_dialogue = msgspec.json.Decoder(Dialogue).decode


def decode_dialogues(path: str, data: bytes) -> DecodedFile:
    """The dialogues of one file.

    path: for messages.
    Raises `UserError` with the byte offset where the file is no JSON list; a dialogue of a wrong
    shape is reported, and the others are read.
    """
    try:
        return DecodedFile(tuple(enumerate(_decode_file(data))), ())
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass  # Now slowly: which file, or which dialogue in it, and where.
    text, unreadable = decoded_text(path, data)
    if text is None:
        raise UserError([unreadable] if unreadable else [])
    try:
        parts = _decode_parts(text.encode())
    except msgspec.DecodeError as error:
        raise UserError([not_json(path, data, error, "a list of dialogues")]) from None
    return _each_dialogue(path, parts)


def not_json(path: str, data: bytes, error: msgspec.DecodeError, expected: str) -> Diagnostic:
    """The diagnostic of a file that is no JSON of the expected form, with the byte where it ends."""
    if isinstance(error, msgspec.ValidationError):
        code, byte = "wrong_shape", 0
        fix = "correct the document, or leave the file out"
    else:
        code = "not_json"
        place = re.search(r"byte (\d+)", str(error))
        byte = int(place[1]) if place else len(data)
        fix = "fetch or write the file again: it is cut short or damaged"
    return Diagnostic(path=path, code=code, byte=byte, found=_lower(str(error)), expected=expected, fix=fix)


def _each_dialogue(path: str, parts: list[msgspec.Raw]) -> DecodedFile:
    dialogues, malformed = [], []
    for index, part in enumerate(parts):
        try:
            dialogues.append((index, _decode_dialogue(part)))
        except msgspec.ValidationError as error:
            found = _lower(str(error).replace("`$", f"`$[{index}]"))
            malformed.append(
                (
                    index,
                    Diagnostic(
                        path=path,
                        code="malformed_record",
                        found=found,
                        expected="a dialogue of the SGD format",
                        fix="correct the dialogue",
                    ),
                )
            )
    return DecodedFile(tuple(dialogues), tuple(malformed))


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]
