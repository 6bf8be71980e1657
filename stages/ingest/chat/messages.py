"""The dialect `messages`: OpenAI's fine-tuning files, Hugging Face chat rows, and TRL's prompts with completions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from exemplars.core.errors import suggest_name
from exemplars.core.records import Reason
from stages.ingest.chat.call_texts import describe_value, read_call, write_json
from stages.ingest.chat.conversations import (
    ChatTurn,
    Conversation,
    Dialect,
    Extent,
    FaultList,
    Role,
    ToolCall,
)
from stages.ingest.chat.tool_definitions import read_tools

_ROLES: Final = {
    "system": Role.SYSTEM, "developer": Role.SYSTEM, "user": Role.USER, "assistant": Role.ASSISTANT,
    "model": Role.ASSISTANT, "tool": Role.TOOL, "function": Role.TOOL, "ipython": Role.TOOL,
}  # fmt: skip


def read_messages_row(row: Mapping[str, Any]) -> Conversation:
    """Read a row with `messages`, or with lists `prompt` and `completion`, and `tools`."""
    faults = FaultList()
    turns: list[ChatTurn] = []
    for key in ("messages", "prompt", "completion"):
        messages = row.get(key)
        if messages is not None and not isinstance(messages, list):
            faults.add(f"/{key}", Reason.MALFORMED_RECORD, describe_value(messages), "a list of messages")
        elif messages is not None:
            read = (
                read_message(message, f"/{key}/{index}", faults) for index, message in enumerate(messages)
            )
            turns += (turn for turn in read if turn is not None)
    key = "tools" if "tools" in row else "functions"
    return Conversation(
        Dialect.MESSAGES, tuple(turns), read_tools(row.get(key), f"/{key}", faults), faults.freeze()
    )


def read_message(message: Any, pointer: str, faults: FaultList) -> ChatTurn | None:
    """Read a message of OpenAI's form; `None`, with a fault, if it has another form."""
    if not isinstance(message, Mapping):
        expected = "a message with role and content"
        faults.add(pointer, Reason.MALFORMED_RECORD, describe_value(message), expected, extent=Extent.UNREAD)
        return None
    name = message.get("role")
    role = _ROLES.get(name) if isinstance(name, str) else None
    if role is None:
        hint = suggest_name(name, _ROLES) if isinstance(name, str) else ""
        expected = "one of system, user, assistant, tool"
        faults.add(
            f"{pointer}/role", Reason.MALFORMED_RECORD, describe_value(name), expected, hint, Extent.UNREAD
        )
        return None
    raw = message.get("content")
    if role == Role.TOOL and isinstance(raw, Mapping):
        raw = write_json(raw)
    content = _read_content(raw, f"{pointer}/content", faults)
    calls = _read_calls(message, pointer, faults)
    if calls and role != Role.ASSISTANT:
        faults.add(pointer, Reason.MALFORMED_RECORD, f"a call of the {role}", "calls of the assistant alone")
    return ChatTurn(role, content, pointer, calls, message.get("weight") != 0, message)


def _read_content(content: Any, pointer: str, faults: FaultList) -> str:
    """Read the text of a message: a text, nothing, or a list of parts of which only texts are read."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        faults.add(pointer, Reason.MALFORMED_RECORD, describe_value(content), "a text or a list of parts")
        return ""
    texts = []
    for index, part in enumerate(content):
        text = part.get("text") if isinstance(part, Mapping) else None
        if isinstance(text, str):
            texts.append(text)
        else:
            faults.add(
                f"{pointer}/{index}", Reason.MALFORMED_RECORD, describe_value(part), "a part with text"
            )
    return "".join(texts)


def _read_calls(message: Mapping[str, Any], pointer: str, faults: FaultList) -> tuple[ToolCall, ...]:
    """Read `tool_calls`, and `function_call`, which OpenAI's older files have."""
    calls: list[ToolCall | None] = []
    tool_calls = message.get("tool_calls") or ()
    if not isinstance(tool_calls, list | tuple):
        place, found = f"{pointer}/tool_calls", describe_value(tool_calls)
        faults.add(place, Reason.MALFORMED_RECORD, found, "a list of calls", extent=Extent.UNREAD)
        tool_calls = ()
    for index, tool_call in enumerate(tool_calls):
        place = f"{pointer}/tool_calls/{index}"
        if isinstance(tool_call, Mapping) and "function" in tool_call:
            calls.append(read_call(tool_call["function"], f"{place}/function", faults))
        else:
            calls.append(read_call(tool_call, place, faults))
    if message.get("function_call") is not None:
        calls.append(read_call(message["function_call"], f"{pointer}/function_call", faults))
    return tuple(call for call in calls if call is not None)
