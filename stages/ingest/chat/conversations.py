"""A conversation with tool calls, as every dialect's reader gives it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from exemplars.core.ledger import Problem
from exemplars.core.records import Reason


class Role(StrEnum):
    """Who says a message."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"
    """A message with the result of a call."""


class Dialect(StrEnum):
    """How a file writes conversations."""

    MESSAGES = "messages"
    """OpenAI's fine-tuning files and Hugging Face chat rows: `messages`, `tools`."""
    SHAREGPT = "sharegpt"
    """`conversations` of `from` and `value`, with the roles `function_call` and `observation`."""
    HERMES = "hermes"
    """`conversations` in which the assistant writes `<tool_call>`."""
    TOOLACE = "toolace"
    """`conversations` in which the assistant writes `[f(a="x"), g()]`."""
    GLAIVE = "glaive"
    """A text `system` and a text `chat`, with `<functioncall>`."""
    XLAM = "xlam"
    """`query`, `tools`, `answers`."""
    BFCL = "bfcl"
    """`question`, `function`, and `ground_truth` with several accepted values."""


class ToolCall(msgspec.Struct, frozen=True):
    """A call that the assistant makes."""

    name: str
    arguments: Mapping[str, Any]
    pointer: str
    """Where it is in the row: a JSON Pointer; `/tool_calls/N` after that of its message if calls are a text."""
    text: str | None = None
    """The arguments as the row has them, if it has them as JSON text."""
    accepted: Mapping[str, tuple[Any, ...]] = {}
    """The other values that the source accepts, by the path of the leaf; an empty text: it may be left out."""


class ChatTurn(msgspec.Struct, frozen=True):
    """A message of a conversation."""

    role: Role
    content: str
    pointer: str
    calls: tuple[ToolCall, ...] = ()
    is_supervised: bool = True
    """Whether the source wants a model to learn this message of the assistant."""
    message: Mapping[str, Any] | None = None
    """The message as the row has it, if trainers give it to the chat template unchanged."""


class Extent(StrEnum):
    """What of a conversation is useless because of a fault."""

    MESSAGE = "message"
    """The message that it is in."""
    REST = "rest"
    """The message that it is in, and all that follow."""
    UNREAD = "unread"
    """As `REST`; the fault is a call, or a message, that cannot be read: nothing else is known of it."""


class Fault(msgspec.Struct, frozen=True):
    """Something inconsistent in a row, and where it is."""

    pointer: str
    problem: Problem
    extent: Extent = Extent.REST


class Conversation(msgspec.Struct, frozen=True):
    """A row of a chat file."""

    dialect: Dialect
    turns: tuple[ChatTurn, ...]
    tools: tuple[Mapping[str, Any], ...]
    """OpenAI-style definitions: `{"type": "function", "function": {"name", "description", "parameters"}}`."""
    faults: tuple[Fault, ...] = ()


class FaultList:
    """The faults of one row, in the order in which they are found."""

    def __init__(self) -> None:
        """Begin without faults."""
        self._faults: list[Fault] = []

    def add(
        self,
        pointer: str,
        reason: Reason,
        found: str,
        expected: str = "",
        fix: str = "",
        extent: Extent = Extent.REST,
    ) -> None:
        """Add a fault."""
        self._faults.append(Fault(pointer, Problem(reason, found, expected, fix), extent))

    def freeze(self) -> tuple[Fault, ...]:
        """Return all faults."""
        return tuple(self._faults)


def locate_call(pointer: str, index: int) -> str:
    """Build the JSON Pointer of a call that is written in the text of a message."""
    return f"{pointer}/tool_calls/{index}"
