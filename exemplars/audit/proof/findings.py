"""What can be wrong with a rendered conversation."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec


class Finding(StrEnum):
    """Why a row is not proved."""

    INCONSISTENT = "inconsistent"
    TEMPLATE_REFUSES = "template_refuses"
    TOOL_LOST = "tool_lost"
    CALL_LOST = "call_lost"
    ENCODED_TWICE = "encoded_twice"
    MESSAGE_LOST = "message_lost"
    NOTHING_SUPERVISED = "nothing_supervised"
    NOT_SUPERVISED = "not_supervised"
    END_NOT_SUPERVISED = "end_not_supervised"
    CONTROL_TOKEN = "control_token"
    CUT = "cut"


MEANINGS: Final = {
    Finding.INCONSISTENT: "the row contradicts itself or its tools",
    Finding.TEMPLATE_REFUSES: "the chat template raises an error",
    Finding.TOOL_LOST: "a tool, or its parameters, do not reach the prompt",
    Finding.CALL_LOST: "a call, or one of its values, does not reach the tokens",
    Finding.ENCODED_TWICE: "arguments become JSON text inside JSON",
    Finding.MESSAGE_LOST: "the text of a message does not reach the tokens",
    Finding.NOTHING_SUPERVISED: "no message of the assistant to learn",
    Finding.NOT_SUPERVISED: "an answer does not continue its prompt",
    Finding.END_NOT_SUPERVISED: "an answer has no token that ends it",
    Finding.CONTROL_TOKEN: "a text spells a control token of the model",
    Finding.CUT: "tokens beyond the model's context",
}
"""Each finding, in words for the report."""


class RowFinding(msgspec.Struct, frozen=True):
    """One thing that is wrong with a row."""

    code: Finding
    pointer: str
    """Where: a JSON Pointer into the row; empty: the whole row."""
    message: str


class RowProof(msgspec.Struct, frozen=True):
    """What becomes of a row."""

    place: str
    dialect: str | None
    calls: int
    tokens: int
    supervised: int
    """The number of tokens that a loss on the assistant's messages alone is computed on."""
    findings: tuple[RowFinding, ...]
