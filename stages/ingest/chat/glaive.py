"""The dialect of Glaive's function calling v2: the tools in a text `system`, all messages in a text `chat`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from exemplars.core.documents import decode_json
from exemplars.core.errors import quote_text
from exemplars.core.records import Reason
from stages.ingest.chat.call_texts import describe_value, read_call
from stages.ingest.chat.conversations import (
    ChatTurn,
    Conversation,
    Dialect,
    Extent,
    FaultList,
    Role,
    locate_call,
)
from stages.ingest.chat.tool_definitions import read_tools

_SPEAKER: Final = re.compile(r"^\s*(USER|ASSISTANT|FUNCTION RESPONSE):", re.MULTILINE)
_ROLES: Final = {"USER": Role.USER, "ASSISTANT": Role.ASSISTANT, "FUNCTION RESPONSE": Role.TOOL}
_CALL: Final = re.compile(r"<functioncall>\s*(.*)", re.DOTALL)
_QUOTED_ARGUMENTS: Final = re.compile(r'^(\{.*"arguments":\s*)\'(.*)\'(\s*\})$', re.DOTALL)


def read_glaive_row(row: Mapping[str, Any]) -> Conversation:
    """Read a row with the texts `system` and `chat`; the pointer of a message is `/chat` and its number."""
    faults = FaultList()
    system, chat = row.get("system"), row.get("chat")
    if not isinstance(chat, str):
        faults.add("/chat", Reason.MALFORMED_RECORD, describe_value(chat), "a text of messages")
        chat = ""
    turns = list(_read_turns(chat, faults))
    tools: tuple[Mapping[str, Any], ...] = ()
    if isinstance(system, str):
        text = system.removeprefix("SYSTEM:").strip()
        turns.insert(0, ChatTurn(Role.SYSTEM, text, "/system"))
        tools = read_tools(list(_find_objects(text)), "/system", faults)
    return Conversation(Dialect.GLAIVE, tuple(turns), tools, faults.freeze())


def _read_turns(chat: str, faults: FaultList) -> Iterator[ChatTurn]:
    speakers = list(_SPEAKER.finditer(chat))
    ends = [match.start() for match in speakers[1:]] + [len(chat)]
    for index, (match, end) in enumerate(
        zip(speakers, ends, strict=False)
    ):  # Without speakers there is an end.
        text = chat[match.end() : end].replace("<|endoftext|>", "").strip()
        role, pointer = _ROLES[match[1]], f"/chat/{index}"
        call = _CALL.search(text) if role == Role.ASSISTANT else None
        if call is None:
            yield ChatTurn(role, text, pointer)
            continue
        read = _read_function_call(call[1].strip(), locate_call(pointer, 0), faults)
        yield ChatTurn(role, text[: call.start()].strip(), pointer, () if read is None else (read,))


def _read_function_call(text: str, pointer: str, faults: FaultList) -> Any:
    """Read a call whose arguments are JSON text in single quotes, or an object."""
    quoted = _QUOTED_ARGUMENTS.match(text)
    plain = f"{quoted[1]}{quoted[2]}{quoted[3]}" if quoted else text
    plain = plain.replace("\\'", "'") if quoted else plain
    try:
        value = decode_json(plain)
    except msgspec.DecodeError as error:
        faults.add(
            pointer,
            Reason.MALFORMED_RECORD,
            f"a call that is not JSON, {quote_text(text)} ({error})",
            "an object with name and arguments",
            extent=Extent.UNREAD,
        )
        return None
    return read_call(value, pointer, faults)


def _find_objects(text: str) -> Iterator[Any]:
    """Yield the JSON objects of a text, one after the other."""
    import json

    decoder = json.JSONDecoder()
    position = text.find("{")
    while position >= 0:
        try:
            value, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            return
        yield value
        position = text.find("{", end)
