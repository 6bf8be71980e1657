"""The dialects with `conversations`: ShareGPT (calls are messages), Hermes (tags), ToolACE (Python's syntax)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from exemplars.core.documents import decode_json
from exemplars.core.errors import suggest_name
from exemplars.core.records import Reason
from stages.ingest.chat.call_texts import (
    describe_value,
    is_call_list,
    read_call_list,
    read_json_calls,
    split_tagged_calls,
    write_json,
)
from stages.ingest.chat.conversations import ChatTurn, Conversation, Dialect, Extent, FaultList, Role
from stages.ingest.chat.tool_definitions import read_tools

_ROLES: Final = {
    "system": Role.SYSTEM, "human": Role.USER, "user": Role.USER, "gpt": Role.ASSISTANT, "assistant": Role.ASSISTANT,
    "model": Role.ASSISTANT, "bot": Role.ASSISTANT, "function_call": Role.ASSISTANT, "tool": Role.TOOL,
    "observation": Role.TOOL, "function_response": Role.TOOL, "function": Role.TOOL,
}  # fmt: skip
_TOOLS_TAG: Final = re.compile(r"<tools>\s*(.*?)\s*</tools>", re.DOTALL)
_RESPONSE_TAG: Final = re.compile(r"</?tool_response>")


def read_tagged_messages_row(row: Mapping[str, Any]) -> Conversation:
    """Read a row with `messages` that have their calls in tags; trainers give them to the template as they are."""
    conversation = read_sharegpt_row(row, key="messages")
    messages = {f"/messages/{index}": message for index, message in enumerate(row["messages"])}
    turns = (msgspec.structs.replace(turn, message=messages.get(turn.pointer)) for turn in conversation.turns)
    return msgspec.structs.replace(conversation, turns=tuple(turns))


def has_tagged_calls(row: Mapping[str, Any]) -> bool:
    """Return whether a row has `messages` whose calls are in tags of their texts."""
    messages = row.get("messages")
    return isinstance(messages, list) and any(
        isinstance(message, Mapping)
        and message.get("role") == "assistant"
        and "<tool_call>" in str(message.get("content"))
        for message in messages
    )


def read_sharegpt_row(
    row: Mapping[str, Any], wanted: Dialect | None = None, key: str = "conversations"
) -> Conversation:
    """Read a row with `conversations`; the dialect follows from how its calls are written.

    wanted: the dialect of a row that has no call. key: what the messages are under.
    """
    faults = FaultList()
    messages = row.get(key)
    if not isinstance(messages, list):
        found = describe_value(messages)
        faults.add(f"/{key}", Reason.MALFORMED_RECORD, found, "a list of messages")
        messages = []
    turns = [
        turn
        for index, message in enumerate(messages)
        if (turn := _read_message(message, f"/{key}/{index}", faults)) is not None
    ]
    system = row.get("system")
    if isinstance(system, str) and system:
        turns.insert(0, ChatTurn(Role.SYSTEM, system, "/system"))
    dialect = _detect_dialect(messages, wanted or Dialect.SHAREGPT)
    tools = read_tools(row.get("tools"), "/tools", faults) or _find_tools_in_system(turns, dialect, faults)
    return Conversation(dialect, tuple(turns), tools, faults.freeze())


def _detect_dialect(messages: list[Any], default: Dialect) -> Dialect:
    known = [message for message in messages if isinstance(message, Mapping)]
    texts = [str(_get_text(message)) for message in known]
    if any("<tool_call>" in text or "<tools>" in text for text in texts):
        return Dialect.HERMES
    if any(map(is_call_list, texts)):
        return Dialect.TOOLACE
    return Dialect.SHAREGPT if any(_get_role(message) == "function_call" for message in known) else default


def _get_role(message: Mapping[str, Any]) -> Any:
    return message.get("from", message.get("role"))


def _get_text(message: Mapping[str, Any]) -> Any:
    return message.get("value", message.get("content"))


def _read_message(message: Any, pointer: str, faults: FaultList) -> ChatTurn | None:
    if not isinstance(message, Mapping):
        expected = "a message with from and value"
        faults.add(pointer, Reason.MALFORMED_RECORD, describe_value(message), expected, extent=Extent.UNREAD)
        return None
    name = _get_role(message)
    role = _ROLES.get(name) if isinstance(name, str) else None
    text = _get_text(message)
    if isinstance(text, Mapping | list) and (role == Role.TOOL or name == "function_call"):
        text = write_json(text)
    if role is None or not isinstance(text, str):
        found, expected = (name, "one of human, gpt, function_call, observation, system")
        hint = suggest_name(name, _ROLES) if isinstance(name, str) else ""
        if role is not None:
            found, expected, hint = text, "a text", ""
        faults.add(pointer, Reason.MALFORMED_RECORD, describe_value(found), expected, hint, Extent.UNREAD)
        return None
    if name == "function_call":
        return ChatTurn(role, "", pointer, read_json_calls(text, pointer, faults))
    if role == Role.ASSISTANT and "<tool_call>" in text:
        content, calls = split_tagged_calls(text, pointer, faults)
        return ChatTurn(role, content, pointer, calls)
    if role == Role.ASSISTANT and is_call_list(text):
        return ChatTurn(role, "", pointer, read_call_list(text, pointer, faults))
    return ChatTurn(role, _RESPONSE_TAG.sub("", text).strip() if role == Role.TOOL else text, pointer)


def _find_tools_in_system(
    turns: list[ChatTurn], dialect: Dialect, faults: FaultList
) -> tuple[Mapping[str, Any], ...]:
    """Find the tools that the system message lists: in `<tools>` tags (Hermes), or as a JSON list (ToolACE)."""
    system = next((turn for turn in turns if turn.role == Role.SYSTEM), None)
    if system is None:
        return ()
    if dialect == Dialect.HERMES and (match := _TOOLS_TAG.search(system.content)):
        text = match[1] if match[1].startswith("[") else f"[{','.join(match[1].splitlines())}]"
        return read_tools(text, system.pointer, faults)
    if dialect == Dialect.TOOLACE:
        start, end = system.content.find("[{"), system.content.rfind("}]")
        try:
            return read_tools(decode_json(system.content[start : end + 2]), system.pointer, faults)
        except msgspec.DecodeError:
            return ()
    return ()
