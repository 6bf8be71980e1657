"""Dialogue files, decoded into just the fields that are used."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

import msgspec

from exemplars.core.documents import RepeatedKeyError, decode_with, keeps_all_keys, may_repeat_keys
from exemplars.core.errors import UserError
from exemplars.core.files import MAX_RECORD_BYTES
from exemplars.core.ledger import Problem
from exemplars.core.records import Reason
from stages.ingest.reading import Offset, decode_text, describe_json_error, describe_repeated_key, lower_first


class _AbsentText(str):
    """A default that is not the same object as any text that is read: an empty text is one of them."""


_ABSENT_TEXT: Final = _AbsentText()
_UNUSED: Final = msgspec.Raw()
_ABSENT_MAP: Final[Mapping[str, Sequence[str]]] = MappingProxyType({})


class _Part(msgspec.Struct, gc=False, omit_defaults=True):
    """A part of a file: encoded again, it has all the keys that it was decoded from, and no others.

    So the keys of a file can be counted (`keeps_all_keys`). Therefore a default is never what a file has, and the
    keys that are not used are listed, too.
    """


class Action(_Part):
    """What a speaker does in a turn, to one slot."""

    act: str
    slot: str = _ABSENT_TEXT
    values: Sequence[str] = ()
    canonical_values: Sequence[str] = ()


class SlotAnnotation(_Part):
    """The span of a free slot's value in the utterance, in code points."""

    slot: str
    start: Offset | None = None
    exclusive_end: Offset | None = None
    copy_from: msgspec.Raw = _UNUSED
    value: msgspec.Raw = _UNUSED


class DialogueState(_Part):
    """What the user wants of one service, so far."""

    active_intent: str | None = None
    """`None`: the source does not say."""
    requested_slots: Sequence[str] = ()
    """The properties of a result that the user asks for."""
    slot_values: Mapping[str, Sequence[str]] = _ABSENT_MAP


class DialogueFrame(_Part):
    """What a turn means for one service."""

    service: str
    actions: Sequence[Action] = ()
    slots: Sequence[SlotAnnotation] = ()
    state: DialogueState | None = None
    service_call: msgspec.Raw = _UNUSED
    service_results: msgspec.Raw = _UNUSED


class DialogueTurn(_Part):
    """One turn, of either speaker."""

    speaker: Literal["USER", "SYSTEM"]
    utterance: str
    frames: Sequence[DialogueFrame] = ()


class Dialogue(_Part):
    """One dialogue; its id is unique in its split."""

    dialogue_id: str
    turns: Sequence[DialogueTurn] = ()
    services: msgspec.Raw = _UNUSED


class DecodedFile(NamedTuple):
    """The dialogues of a file by their index, and what is wrong with the others."""

    dialogues: tuple[tuple[int, Dialogue], ...]
    malformed: tuple[tuple[int, Problem], ...]


_decode_file = msgspec.json.Decoder(list[Dialogue]).decode
_encode = msgspec.json.Encoder().encode
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
            dialogues = _decode_file(data)
            if keeps_all_keys(data, _encode(dialogues)) or not may_repeat_keys(data):
                return DecodedFile(tuple(enumerate(dialogues)), ())
    # Decode again, slowly, to find out what is wrong with the file, or with which dialogue.
    text = decode_text(path, data)
    try:
        parts = decode_with(_decode_parts, text, allow_repeated_keys=True)
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
        except RepeatedKeyError as error:
            malformed.append((index, describe_repeated_key(error)))
        except msgspec.DecodeError as error:
            message = lower_first(str(error).replace("`$", f"`$[{index}]"))
            problem = Problem(
                Reason.MALFORMED_RECORD,
                fix="correct the dialogue",
                summary=f"not a dialogue in the SGD format: {message}",
            )
            malformed.append((index, problem))
    return DecodedFile(tuple(dialogues), tuple(malformed))
