"""The dialect of a row, and its conversation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from exemplars.core.errors import summarize_names
from exemplars.core.ledger import Problem
from exemplars.core.records import Reason
from stages.ingest.chat.call_checks import check_turns
from stages.ingest.chat.call_texts import describe_value
from stages.ingest.chat.conversations import Conversation, FaultList
from stages.ingest.chat.glaive import read_glaive_row
from stages.ingest.chat.messages import read_messages_row
from stages.ingest.chat.query_rows import read_bfcl_row, read_xlam_row
from stages.ingest.chat.sharegpt import read_sharegpt_row

_READERS: Final[tuple[tuple[frozenset[str], Callable[[Mapping[str, Any]], Conversation]], ...]] = (
    (frozenset({"messages"}), read_messages_row),
    (frozenset({"conversations"}), read_sharegpt_row),
    (frozenset({"chat"}), read_glaive_row),
    (frozenset({"query", "answers"}), read_xlam_row),
    (frozenset({"question", "function"}), read_bfcl_row),
)
"""Each reader after the keys that only its rows have."""


def read_conversation(row: Any) -> Conversation | Problem:
    """Read a row in the dialect that its keys show, and check it; or say why it is no conversation."""
    if not isinstance(row, Mapping):
        return Problem(Reason.MALFORMED_RECORD, describe_value(row), "an object")
    read = next((reader for keys, reader in _READERS if keys <= row.keys()), None)
    if read is None and isinstance(row.get("prompt"), list):
        read = read_messages_row
    if read is None:
        return Problem(
            Reason.MALFORMED_RECORD,
            f"the keys {summarize_names(sorted(map(str, row)), limit=6)}" if row else "no keys",
            "those of a known dialect: messages; conversations; system and chat; query and answers; "
            "question and function",
        )
    conversation = read(row)
    faults = FaultList()
    check_turns(conversation.turns, conversation.tools, faults)
    return msgspec.structs.replace(conversation, faults=(*conversation.faults, *faults.freeze()))
